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

/** A memo of so many signatures: half of them those that were met last, in no order, which costs nothing to keep up. */
export function createSignatureMemo(most = 10_000): SignatureMemo {
  type Signers = Map<ContentId, Set<KeyId>>
  let [recent, earlier]: readonly [Signers, Signers] = [new Map(), new Map()]
  let count = 0
  const add = (id: ContentId, key: KeyId): void => {
    const keys = recent.get(id)
    if (keys?.has(key)) return
    if (count >= most / 2) {
      ;[recent, earlier] = [new Map(), recent]
      count = 0
    }
    recent.set(id, new Set([...(recent.get(id) ?? []), key]))
    count++
  }
  return {
    add,
    has(id, key) {
      if (recent.get(id)?.has(key)) return true
      if (!earlier.get(id)?.has(key)) return false
      add(id, key)
      return true
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
      if (answer && !isKnown) known?.memo.add(known.id, key)
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
