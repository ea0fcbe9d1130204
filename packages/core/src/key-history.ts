import { equalBytes } from './bytes.ts'
import { encode } from './cbor-encode.ts'
import type { ContentId } from './content-id.ts'
import { contentId } from './content-id.ts'
import type { Envelope, Threshold } from './envelope.ts'
import { countSigners } from './envelope.ts'
import { isVaultError, VaultError } from './error.ts'
import type { ContentParameters, Inception, VaultId } from './inception.ts'
import { verifyInception } from './inception.ts'
import type { KeyEvent, KeyEventReason } from './key-event.ts'
import { parseKeyEvent } from './key-event.ts'
import type { KeyEventErrorCode } from './key-event-error.ts'
import { checkEvent, invalidEvent } from './key-event-error.ts'
import { KEY_EVENT } from './key-event-payload.ts'
import type { KeyEventSigners } from './key-event-signers.ts'
import { keyEventSigners } from './key-event-signers.ts'
import type { NextKeys } from './key-witnesses.ts'
import { committedKeys, NO_WITNESSES } from './key-witnesses.ts'
import type { Roles } from './roles.ts'
import { isSameThreshold } from './roles.ts'

/** Which keys act for a vault, after all key events that are known. */
export interface KeyState {
  readonly vault: VaultId
  /** Number of the last event; 0 for an inception alone. */
  readonly seq: number
  /** The id (SHA-256, dag-cbor) of the last event's payload. */
  readonly head: ContentId
  readonly roles: Roles
  /** Who witnesses the next event; a threshold of 0 is nobody. */
  readonly witnesses: Threshold
  /** The keys of the identity that may follow; `null` is any. */
  readonly next: NextKeys | null
  /** Whether the vault has ended. */
  readonly retired: boolean
  /** As the inception says: no event changes it. */
  readonly content: ContentParameters
  /** All of them, the inception first. */
  readonly events: readonly (Inception | KeyEvent)[]
}

/** One event costs up to 256 verifications, so a longer list from outside is not begun. */
const MAX_KEY_EVENTS = 1_024
/** Of these only the identity that was committed to takes: a stolen one leaves room for it. */
const KEPT_FOR_COMMITTED = 64

/**
 * The keys of a vault, from its inception and all events after it in order. Throws `KEY_EVENT_INVALID`, or what
 * {@link followKeyState} says, with the `index` of the first envelope that does not belong there. An event with
 * `why: 'migrate'` is verified as any other; whether the hand-off that it needs took place is for whoever asks to see.
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
  const { roles, content } = inception
  const open = { witnesses: NO_WITNESSES, next: null, retired: false }
  return { vault, seq: 0, head: vault, roles, content, events: [inception], ...open }
}

/**
 * The keys after one more event. Throws `KEY_EVENT_INVALID`, `KEY_EVENT_RETIRED`, `KEY_EVENT_WITNESSES` and
 * `KEY_EVENT_COMMITMENT`.
 */
export function followKeyState(before: KeyState, envelope: Envelope): KeyState {
  const after = keyStateAfter(before, envelope.payload)
  for (const asked of keyEventSigners(before, after)) requireSigners(envelope, asked)
  return after
}

/**
 * The keys after an event with this payload, once all have signed it who must: its signatures are not asked for. For whoever is to
 * gather them, so that nobody signs what no reader takes. Throws `KEY_EVENT_INVALID`, `KEY_EVENT_RETIRED` and `KEY_EVENT_COMMITMENT`.
 */
export function keyStateAfter(before: KeyState, payload: Uint8Array): KeyState {
  checkEvent(!before.retired, 'the vault has ended with the event before it', 'KEY_EVENT_RETIRED')
  checkEvent(before.events.length < MAX_KEY_EVENTS, `a history has at most ${MAX_KEY_EVENTS} events`)
  const event = parseKeyEvent(payload, { seq: before.seq + 1, head: before.head })
  checkEvent(event.v >= (before.events.at(-1)?.v ?? 1), 'it is of an earlier version than the event before it')
  const { seq, roles, why, witnesses = NO_WITNESSES, next = null } = event
  const head = contentId(payload, { hash: 'sha2-256', codec: 'dag-cbor' })
  const events = [...before.events, event]
  const after = { ...before, seq, head, roles, witnesses, next, retired: why === 'retire', events }
  checkUnchanged(before, after, why)
  checkCommitment(before, after)
  return after
}

/** An event that replaces no keys says so of everything. */
function checkUnchanged(before: KeyState, after: KeyState, why: KeyEventReason): void {
  if (why !== 'reshare' && why !== 'retire') return
  const kept = ({ roles, witnesses, next }: KeyState) => ({ roles, witnesses, next })
  checkEvent(isSame(kept(before), kept(after)), `it is to ${why}, and replaces keys`)
}

/**
 * Whoever has stolen the identity does not know which follows: he neither puts another one in its place nor takes the commitment back,
 * and does nothing that would keep the owner's event out.
 */
function checkCommitment({ events, roles, witnesses, next }: KeyState, after: KeyState): void {
  if (next === null) return
  const code = 'KEY_EVENT_COMMITMENT'
  if (!isSameThreshold(roles.identity, after.roles.identity)) {
    const committed = committedKeys(next, after.roles.identity.keys)
    checkEvent(committed.length >= next.threshold, 'its identity is not the one that was committed to', code)
    return
  }
  const first = 'let the identity that was committed to follow first'
  checkEvent(isSame(next, after.next), `it takes a commitment back; ${first}`, code)
  checkEvent(isSameThreshold(witnesses, after.witnesses), `it names other witnesses under a commitment; ${first}`, code)
  checkEvent(!after.retired, `it ends the vault under a commitment; ${first}`, code)
  const room = MAX_KEY_EVENTS - KEPT_FOR_COMMITTED
  checkEvent(events.length < room, `after ${room} events only an identity that was committed to follows`, code)
}

function isSame(a: unknown, b: unknown): boolean {
  return equalBytes(encode(a), encode(b))
}

const UNSIGNED: Readonly<Record<KeyEventSigners['why'], readonly [reason: string, code?: KeyEventErrorCode]>> = {
  'identity-before': ['the identity before it has not signed'],
  identity: ['its own identity has not signed'],
  possession: ['a key that is new in a role has not signed'],
  'witness-before': ['the witnesses before it have not signed', 'KEY_EVENT_WITNESSES'],
  'witness-after': ['its own witnesses have not signed', 'KEY_EVENT_WITNESSES'],
  'witness-new': ['a new witness has not signed', 'KEY_EVENT_WITNESSES'],
  commitment: ['too few of the keys that were committed to have signed', 'KEY_EVENT_COMMITMENT'],
}

function requireSigners(envelope: Envelope, { why, keys, threshold }: KeyEventSigners): void {
  try {
    countSigners(envelope, KEY_EVENT, { keys, threshold })
  } catch (cause) {
    const [reason, code] = UNSIGNED[why]
    throw invalidEvent(reason, cause, code)
  }
}

function at<T>(index: number, verify: () => T): T {
  try {
    return verify()
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw new VaultError<KeyEventErrorCode>({
      code: isOwnCode(cause.code) ? cause.code : 'KEY_EVENT_INVALID',
      message: `Event ${index} of the key history is refused. ${cause.message}`,
      details: { index },
      cause,
    })
  }
}

function isOwnCode(code: string): code is KeyEventErrorCode {
  return code === 'KEY_EVENT_RETIRED' || code === 'KEY_EVENT_WITNESSES' || code === 'KEY_EVENT_COMMITMENT'
}
