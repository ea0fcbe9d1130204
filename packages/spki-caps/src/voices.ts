import type { ContentId, Envelope, KeyId } from '@vault/core'
import { countSigners, isVaultError } from '@vault/core'
import type { Opened, RecordHead } from './record.ts'

/** Who has said something: signed a certificate, or a request. */
export interface Voices {
  /** Those who may have, each as often as it claims to. */
  readonly claimed: readonly KeyId[]
  /** Whether this key has. */
  has(key: KeyId): boolean
}

/** Keys whose signatures somebody else has verified. */
export function knownVoices(keys: Iterable<KeyId>): Voices {
  const known = new Set(keys)
  return { claimed: [...known], has: (key) => known.has(key) }
}

/**
 * Which keys are known to have signed which records, by their ids: a fact that stays true, so signatures of certificates that are met
 * again and again are verified once. Bounded; forgetting costs only time.
 */
export interface SignatureMemo {
  has(id: ContentId, key: KeyId): boolean
  add(id: ContentId, key: KeyId): void
}

/** A memo of the last so many signatures. */
export function createSignatureMemo(most = 10_000): SignatureMemo {
  // The one that was met last is the last one.
  const signers = new Map<ContentId, Set<KeyId>>()
  let count = 0
  return {
    has: (id, key) => signers.get(id)?.has(key) === true,
    add(id, key) {
      const keys = signers.get(id) ?? new Set()
      signers.delete(id)
      signers.set(id, keys)
      if (!keys.has(key)) count++
      keys.add(key)
      while (count > most) {
        const [oldest, { size }] = signers.entries().next().value as [ContentId, Set<KeyId>]
        signers.delete(oldest)
        count -= size
      }
    },
  }
}

/** The signers of an envelope; each signature is verified when its key is asked for, and no other is. */
export function envelopeVoices(type: string, envelope: Envelope): Voices {
  return voicesOf(type, envelope)
}

/** The same for what was read, whose signatures may be remembered by its id. */
export function openedVoices({ id, record, envelope }: Opened<RecordHead<string>>, memo?: SignatureMemo): Voices {
  return voicesOf(record.type, envelope, memo && { id, memo })
}

function voicesOf(
  type: string,
  envelope: Envelope,
  known?: { readonly id: ContentId; readonly memo: SignatureMemo },
): Voices {
  const answers = new Map<KeyId, boolean>()
  const claimed = envelope.signatures.map(({ key }) => key)
  return {
    claimed,
    has(key) {
      const before = answers.get(key)
      if (before !== undefined) return before
      const isClaimed = claimed.includes(key)
      const isKnown = isClaimed && known?.memo.has(known.id, key) === true
      const answer = isKnown || (isClaimed && hasSigned(type, envelope, key))
      if (answer) known?.memo.add(known.id, key)
      answers.set(key, answer)
      return answer
    },
  }
}

function hasSigned(type: string, envelope: Envelope, key: KeyId): boolean {
  try {
    return countSigners(envelope, type, { keys: [key], threshold: 1 }).length === 1
  } catch (error) {
    if (isVaultError(error, 'SIGNATURE_THRESHOLD')) return false
    throw error
  }
}
