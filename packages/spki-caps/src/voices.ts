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
 * Which keys are known to have signed which payloads: a fact that stays true, so signatures of certificates that are met
 * again and again are verified once. Bounded; forgetting costs only time.
 */
export interface SignatureMemo {
  has(fact: string): boolean
  add(fact: string): void
}

/** A memo of the last so many signatures. */
export function createSignatureMemo(most = 10_000): SignatureMemo {
  const facts = new Set<string>()
  return {
    has: (fact) => facts.has(fact),
    add(fact) {
      facts.delete(fact)
      facts.add(fact)
      if (facts.size > most) facts.delete(facts.values().next().value as string)
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
      const fact = known && `${type} ${known.id} ${key}`
      const isKnown = fact !== undefined && claimed.includes(key) && known?.memo.has(fact) === true
      const answer = isKnown || (claimed.includes(key) && hasSigned(type, envelope, key))
      if (answer && fact !== undefined) known?.memo.add(fact)
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
