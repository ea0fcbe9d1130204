import type { Bytes } from './bytes.ts'
import { copyBytes, toHex, utf8 } from './bytes.ts'
import type { Threshold } from './envelope.ts'
import { hasFields } from './fields.ts'
import { hashBytes } from './hash.ts'
import { checkEvent } from './key-event-error.ts'
import type { KeyId } from './key-id.ts'
import { parseThreshold } from './roles.ts'

/** The keys that are to follow as the identity, by their hashes: nobody knows them before they are used. */
export interface NextKeys {
  /** {@link nextKeyDigest} of each, ascending. */
  readonly digests: readonly Bytes[]
  /** So many of them sign the event that replaces the identity. */
  readonly threshold: number
}

/** Nobody. */
export const NO_WITNESSES: Threshold = { keys: [], threshold: 0 }

const MAX_DIGESTS = 64
const DIGEST_LENGTH = 32

/** What an event says of a key that is to follow. */
export function nextKeyDigest(key: KeyId): Bytes {
  return hashBytes('sha2-256', utf8(key))
}

/** The witnesses of a decoded value; a threshold of 0 where there are none. Throws `KEY_EVENT_INVALID`. */
export function parseWitnesses(value: unknown): Threshold {
  const none = hasFields(value, 'keys', 'threshold') && Array.isArray(value.keys) && value.keys.length === 0
  if (none && value.threshold === 0) return NO_WITNESSES
  return parseThreshold('witnesses', value)
}

/** The keys that are to follow, of a decoded value; `null` where nothing is said. Throws `KEY_EVENT_INVALID`. */
export function parseNextKeys(value: unknown): NextKeys | null {
  if (value === null) return null
  checkEvent(hasFields(value, 'digests', 'threshold'), '"next" is neither null nor a map of "digests" and "threshold"')
  const { digests, threshold } = value
  checkEvent(Array.isArray(digests) && digests.length <= MAX_DIGESTS, `"next" has not at most ${MAX_DIGESTS} digests`)
  const parsed = digests.map((digest) => {
    checkEvent(digest instanceof Uint8Array && digest.length === DIGEST_LENGTH, 'a digest in "next" is not 32 bytes')
    return copyBytes(digest)
  })
  const texts = parsed.map(toHex)
  checkEvent(
    texts.every((text, i) => i === 0 || (texts[i - 1] as string) < text),
    'the digests in "next" are not distinct and in ascending order',
  )
  checkEvent(
    typeof threshold === 'number' && Number.isInteger(threshold) && threshold >= 1 && threshold <= parsed.length,
    'the threshold of "next" is not between 1 and its digests',
  )
  return { digests: parsed, threshold }
}

/** Those of the keys that were said to follow. */
export function committedKeys(next: NextKeys, keys: readonly KeyId[]): readonly KeyId[] {
  const said = new Set(next.digests.map(toHex))
  return keys.filter((key) => said.has(toHex(nextKeyDigest(key))))
}
