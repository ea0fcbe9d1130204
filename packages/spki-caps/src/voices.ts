import type { Envelope, KeyId } from '@vault/core'
import { contentId, countSigners, isVaultError } from '@vault/core'

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
export function envelopeVoices(type: string, envelope: Envelope, memo?: SignatureMemo): Voices {
  const answers = new Map<KeyId, boolean>()
  const claimed = envelope.signatures.map(({ key }) => key)
  const name = memo === undefined ? '' : contentId(envelope.payload, { hash: 'sha2-256', codec: 'dag-cbor' })
  return {
    claimed,
    has(key) {
      const known = answers.get(key)
      if (known !== undefined) return known
      const fact = `${type} ${name} ${key}`
      const answer = claimed.includes(key) && (memo?.has(fact) === true || hasSigned(type, envelope, key))
      if (answer) memo?.add(fact)
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
