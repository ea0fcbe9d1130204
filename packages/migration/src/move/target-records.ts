import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { decode, decodeEnvelope, encode, isVaultError } from '@vault/core'
import type { Records, SwapOptions } from '@vault/soup'
import { parseAcceptance } from '../records/acceptance.ts'
import { requireFields } from '../records/record.ts'

/** What a target accepted, and the keys under which the vault came. */
export interface Accepted {
  readonly acceptance: Bytes
  readonly keyEvents: readonly Uint8Array[]
  /** The epoch of the vault at the source. */
  readonly epoch: number
  /** The document of the vault's tenure here before. */
  readonly evidence: Bytes | null
}

/** What a target has said of a migration: said once, and the same whenever it is asked again. */
export class TargetRecords {
  readonly #records: Records

  constructor(records: Records) {
    this.#records = records
  }

  /** What was accepted of this vault. Throws `MIGRATION_RECORD_FOREIGN` where the migration is one of another vault: who may bring one has no say in the other. */
  async accepted(vault: ContentId, migration: string, options?: AbortOptions): Promise<Accepted | undefined> {
    const bytes = await this.#read(migration, 'acceptance', options)
    return bytes && acceptedOf(vault, bytes)
  }

  /** Gives what was accepted first. Throws as {@link accepted}. */
  async accept(vault: ContentId, migration: string, accepted: Accepted, options?: AbortOptions): Promise<Accepted> {
    return acceptedOf(vault, await this.#keep(migration, 'acceptance', encode(accepted), options))
  }

  /** The key event that will count with the hand-off. */
  keyEvent(migration: string, options?: AbortOptions): Promise<Bytes | undefined> {
    return this.#read(migration, 'key-event', options)
  }

  /** Durable with the next change of the store. */
  keepKeyEvent(migration: string, envelope: Bytes, options?: AbortOptions): Promise<Bytes> {
    return this.#keep(migration, 'key-event', envelope, { ...options, durable: false })
  }

  declined(migration: string, options?: AbortOptions): Promise<Bytes | undefined> {
    return this.#read(migration, 'decline', options)
  }

  decline(migration: string, envelope: Bytes, options?: AbortOptions): Promise<Bytes> {
    return this.#keep(migration, 'decline', envelope, options)
  }

  certificate(migration: string, options?: AbortOptions): Promise<Bytes | undefined> {
    return this.#read(migration, 'certificate', options)
  }

  conclude(migration: string, certificate: Bytes, options?: AbortOptions): Promise<Bytes> {
    return this.#keep(migration, 'certificate', certificate, options)
  }

  async #read(migration: string, name: string, options?: AbortOptions): Promise<Bytes | undefined> {
    return (await this.#records.read(keyOf(migration, name), options))?.bytes
  }

  async #keep(migration: string, name: string, bytes: Bytes, options?: SwapOptions): Promise<Bytes> {
    const key = keyOf(migration, name)
    try {
      await this.#records.swap(key, 0, bytes, options)
      return bytes
    } catch (error) {
      const first = await this.#records.read(key, options)
      if (first === undefined || !isVaultError(error, 'SOUP_CONFLICT')) throw error
      return first.bytes
    }
  }
}

function acceptedOf(vault: ContentId, bytes: Bytes): Accepted {
  const accepted = decode(bytes) as Accepted
  requireFields(parseAcceptance(decodeEnvelope(accepted.acceptance).payload), { vault })
  return accepted
}

function keyOf(migration: string, name: string): string {
  return `migration/${migration}/${name}`
}

/** The certificate of a move that ended at a place, from the place's records. */
export function readMoveCertificate(
  records: Records,
  migration: string,
  options?: AbortOptions,
): Promise<Bytes | undefined> {
  return new TargetRecords(records).certificate(migration, options)
}
