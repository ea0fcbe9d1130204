import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Link, Signer } from '@vault/core'
import { concatBytes, countSigners, createHasher, equalBytes, hashBytes, idBytes, publicKeyOf, utf8 } from '@vault/core'
import { foreignRecord } from './error.ts'
import { bytes, count, linked } from './field.ts'
import type { RecordHead } from './record.ts'
import { recordFormat, requireFields } from './record.ts'
import { hexId } from './statement-field.ts'

/**
 * A receiving place proves that it has an object at hand: the bytes went into the proof with a nonce that it could not foresee, and with its
 * own key, so that the proof of another place does for none but that one.
 */
export interface Possession extends RecordHead<'migration-possession'> {
  readonly vault: Link
  readonly migration: string
  /** Number of the batch in which the object came, from 1. */
  readonly batch: number
  /** The object. */
  readonly id: Link
  /** 32 bytes, drawn by who asked, after the batch was acknowledged. */
  readonly nonce: Bytes
  /** {@link possessionProof}. */
  readonly proof: Bytes
  /** Seconds since 1970. */
  readonly at: number
}

const TYPE = 'migration-possession'

const format = recordFormat<typeof TYPE, Possession>(TYPE, {
  vault: linked,
  migration: hexId,
  batch: count,
  id: linked,
  nonce: bytes({ length: 32 }),
  proof: bytes({ length: 32 }),
  at: count,
})

/** The canonical bytes of a proof of possession. */
export const encodePossession: (possession: Possession) => Bytes = format.encode

/** Throws `MIGRATION_RECORD_INVALID`. Verifies neither signature nor proof. */
export const parsePossession: (payload: Uint8Array) => Possession = format.parse

export const possessionId: (possession: Possession) => ContentId = format.id

/** For whom a proof is made, and by which question: it fits no other place, and no other migration. */
export interface ProofClaim {
  /** The key of the place that proves. */
  readonly place: KeyId
  /** 32 hexadecimal digits. */
  readonly migration: string
  /** 32 bytes. */
  readonly nonce: Uint8Array
}

/**
 * SHA-256 of `"vault/possession/v2\0"`, the 32 bytes of the place's public key, the digits of the migration, the nonce, the 36 bytes of the
 * id, and the bytes as they were read back.
 */
export function possessionProof(claim: ProofClaim, id: ContentId, stored: Uint8Array): Bytes {
  return possessionProver(claim)(id, stored)
}

// Up to here a copy costs less than a hasher.
const SHORT = 4_096

/** {@link possessionProof} for one object after the other. */
export function possessionProver({
  place,
  migration,
  nonce,
}: ProofClaim): (id: ContentId, stored: Uint8Array) => Bytes {
  const head = concatBytes(utf8('vault/possession/v2\0'), publicKeyOf(place), utf8(migration), nonce)
  return (id, stored) => {
    if (stored.length <= SHORT) return hashBytes('sha2-256', concatBytes(head, idBytes(id), stored))
    const hasher = createHasher('sha2-256')
    for (const part of [head, idBytes(id), stored]) hasher.update(part)
    return hasher.digest()
  }
}

/** Signs a proof of possession with the key of the receiving place. */
export function signPossession(possession: Possession, place: Signer, options?: AbortOptions): Promise<Envelope> {
  return format.sign(possession, [place], options)
}

/**
 * The proof in an envelope, for the nonce that was asked with and the bytes that the object has. Throws
 * `MIGRATION_RECORD_INVALID`, `MIGRATION_RECORD_FOREIGN` (also for a proof over other bytes), `SIGNATURE_THRESHOLD`.
 */
export function verifyPossession(
  envelope: Envelope,
  expected: {
    readonly vault: ContentId
    readonly migration: string
    readonly batch: number
    readonly id: ContentId
    readonly nonce: Uint8Array
    readonly bytes: Uint8Array
    readonly place: KeyId
  },
): Possession {
  const { vault, migration, batch, id, nonce, bytes: stored, place } = expected
  const possession = parsePossession(envelope.payload)
  requireFields(possession, { vault, migration, batch, id })
  if (!equalBytes(possession.nonce, nonce)) throw foreignRecord(TYPE, 'nonce')
  countSigners(envelope, TYPE, { keys: [place], threshold: 1 })
  if (!equalBytes(possession.proof, possessionProof({ place, migration, nonce }, id, stored)))
    throw foreignRecord(TYPE, 'proof')
  return possession
}
