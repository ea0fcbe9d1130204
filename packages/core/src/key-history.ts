import type { ContentId } from './content-id.ts'
import { contentId } from './content-id.ts'
import type { Envelope, Threshold } from './envelope.ts'
import { countSigners } from './envelope.ts'
import { isVaultError, VaultError } from './error.ts'
import type { ContentParameters, Inception, VaultId } from './inception.ts'
import { verifyInception } from './inception.ts'
import type { KeyEvent } from './key-event.ts'
import { parseKeyEvent } from './key-event.ts'
import type { KeyEventErrorCode } from './key-event-error.ts'
import { checkEvent, invalidEvent } from './key-event-error.ts'
import { KEY_EVENT } from './key-event-payload.ts'
import type { Roles } from './roles.ts'
import { keysNewIn } from './roles.ts'

/** Which keys act for a vault, after all key events that are known. */
export interface KeyState {
  readonly vault: VaultId
  /** Number of the last event; 0 for an inception alone. */
  readonly seq: number
  /** The id (SHA-256, dag-cbor) of the last event's payload. */
  readonly head: ContentId
  readonly roles: Roles
  /** As the inception says: no event changes it. */
  readonly content: ContentParameters
  /** All of them, the inception first. */
  readonly events: readonly (Inception | KeyEvent)[]
}

/** One event costs up to 256 verifications, so a longer list from outside is not begun. */
const MAX_KEY_EVENTS = 1_024

/**
 * The keys of a vault, from its inception and all events after it in order. Throws `KEY_EVENT_INVALID` with the `index` of
 * the first envelope that does not belong there. An event with `why: 'migrate'` is verified as any other; whether the
 * hand-off that it needs took place is for whoever asks to see.
 */
export function verifyKeyHistory(envelopes: readonly Envelope[]): KeyState {
  const [first, ...later] = envelopes
  checkEvent(first !== undefined, 'a history has at least an inception')
  checkEvent(envelopes.length <= MAX_KEY_EVENTS, `a history has at most ${MAX_KEY_EVENTS} events`)
  let state = at(0, () => foundKeyState(first))
  for (const [i, envelope] of later.entries()) {
    const before = state
    state = at(i + 1, () => followKeyState(before, envelope))
  }
  return state
}

function foundKeyState(envelope: Envelope): KeyState {
  const { vault, inception } = verifyInception(envelope)
  return { vault, seq: 0, head: vault, roles: inception.roles, content: inception.content, events: [inception] }
}

/** The keys after one more event. Throws `KEY_EVENT_INVALID`. */
export function followKeyState(before: KeyState, envelope: Envelope): KeyState {
  const event = parseKeyEvent(envelope.payload, { seq: before.seq + 1, head: before.head })
  const introduced = keysNewIn(event.roles, before.roles)
  requireSigners(envelope, before.roles.identity, 'the identity before it has not signed')
  requireSigners(envelope, event.roles.identity, 'its own identity has not signed')
  if (introduced.length > 0) {
    const all = { keys: introduced, threshold: introduced.length }
    requireSigners(envelope, all, 'a key that is new in a role has not signed')
  }
  const head = contentId(envelope.payload, { hash: 'sha2-256', codec: 'dag-cbor' })
  return { ...before, seq: event.seq, head, roles: event.roles, events: [...before.events, event] }
}

function requireSigners(envelope: Envelope, threshold: Threshold, reason: string): void {
  try {
    countSigners(envelope, KEY_EVENT, threshold)
  } catch (cause) {
    throw invalidEvent(reason, cause)
  }
}

function at<T>(index: number, verify: () => T): T {
  try {
    return verify()
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw new VaultError<KeyEventErrorCode>({
      code: 'KEY_EVENT_INVALID',
      message: `Event ${index} of the key history is refused. ${cause.message}`,
      details: { index },
      cause,
    })
  }
}
