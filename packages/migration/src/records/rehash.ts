import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Link, Signer } from '@vault/core'
import { concatBytes, countSigners, equalBytes, hashBytes, publicKeyOf, utf8 } from '@vault/core'
import { foreignRecord } from './error.ts'
import { bytes, count, linked } from './field.ts'
import type { ProofClaim } from './possession.ts'
import type { RecordHead } from './record.ts'
import { recordFormat, requireFields } from './record.ts'
import { hexId } from './statement-field.ts'

/** A receiving place has read objects back from its own store, and hashed every byte of them with a nonce it could not foresee. */
export interface Rehash extends RecordHead<'migration-rehash'> {
  readonly vault: Link
  readonly migration: string
  /** 32 bytes, drawn by who asked, when everything was stored. */
  readonly nonce: Bytes
  /** How many objects. */
  readonly objects: number
  /** {@link rehashProof}. */
  readonly proof: Bytes
  /** Seconds since 1970. */
  readonly at: number
}

/** Objects that one answer is about, at most: whoever asks about more asks again. */
export const MAX_REHASHED = 4_096

const TYPE = 'migration-rehash'

const format = recordFormat<typeof TYPE, Rehash>(TYPE, {
  vault: linked,
  migration: hexId,
  nonce: bytes({ length: 32 }),
  objects: count,
  proof: bytes({ length: 32 }),
  at: count,
})

/** The canonical bytes of what a place says of its own store. */
export const encodeRehash: (rehash: Rehash) => Bytes = format.encode

/** Throws `MIGRATION_RECORD_INVALID`. Verifies neither signature nor proof. */
export const parseRehash: (payload: Uint8Array) => Rehash = format.parse

export const rehashId: (rehash: Rehash) => ContentId = format.id

/**
 * SHA-256 of `"vault/rehash/v2\0"`, the 32 bytes of the place's public key, the digits of the migration, and the `possessionProof` of each
 * object with this nonce, in the order asked.
 */
export function rehashProof(
  { place, migration }: Pick<ProofClaim, 'place' | 'migration'>,
  possessions: readonly Uint8Array[],
): Bytes {
  const head = [utf8('vault/rehash/v2\0'), publicKeyOf(place), utf8(migration)]
  return hashBytes('sha2-256', concatBytes(...head, ...possessions))
}

/** Signs what was found with the key of the receiving place. */
export function signRehash(rehash: Rehash, place: Signer, options?: AbortOptions): Promise<Envelope> {
  return format.sign(rehash, [place], options)
}

/**
 * What is said in an envelope, for the nonce that was asked with and the bytes that the objects have. Throws `MIGRATION_RECORD_INVALID`,
 * `MIGRATION_RECORD_FOREIGN` (also for a proof over other bytes), `SIGNATURE_THRESHOLD`.
 */
export function verifyRehash(
  envelope: Envelope,
  expected: {
    readonly vault: ContentId
    readonly migration: string
    readonly nonce: Uint8Array
    /** The `possessionProof` of each object for this place, migration and nonce, in the order asked. */
    readonly possessions: readonly Uint8Array[]
    readonly place: KeyId
  },
): Rehash {
  const { vault, migration, nonce, possessions, place } = expected
  const rehash = parseRehash(envelope.payload)
  requireFields(rehash, { vault, migration, objects: possessions.length })
  if (!equalBytes(rehash.nonce, nonce)) throw foreignRecord(TYPE, 'nonce')
  countSigners(envelope, TYPE, { keys: [place], threshold: 1 })
  if (!equalBytes(rehash.proof, rehashProof({ place, migration }, possessions))) throw foreignRecord(TYPE, 'proof')
  return rehash
}
