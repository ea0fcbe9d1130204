import { equalBytes } from './bytes.ts'
import { encode } from './cbor-encode.ts'
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
import type { NextKeys } from './key-witnesses.ts'
import { committedKeys, NO_WITNESSES } from './key-witnesses.ts'
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

/**
 * The keys of a vault, from its inception and all events after it in order. Throws `KEY_EVENT_INVALID`, or what
 * {@link followKeyState} says, with the `index` of the first envelope that does not belong there. An event with `why: 'migrate'` is verified as any other; whether the
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
  const { roles, content } = inception
  const open = { witnesses: NO_WITNESSES, next: null, retired: false }
  return { vault, seq: 0, head: vault, roles, content, events: [inception], ...open }
}

/**
 * The keys after one more event. Throws `KEY_EVENT_INVALID`, `KEY_EVENT_RETIRED`, `KEY_EVENT_WITNESSES` and
 * `KEY_EVENT_COMMITMENT`.
 */
export function followKeyState(before: KeyState, envelope: Envelope): KeyState {
  checkEvent(!before.retired, 'the vault has ended with the event before it', 'KEY_EVENT_RETIRED')
  const event = parseKeyEvent(envelope.payload, { seq: before.seq + 1, head: before.head })
  const introduced = keysNewIn(event.roles, before.roles)
  requireSigners(envelope, before.roles.identity, 'the identity before it has not signed')
  requireSigners(envelope, event.roles.identity, 'its own identity has not signed')
  if (introduced.length > 0) {
    const all = { keys: introduced, threshold: introduced.length }
    requireSigners(envelope, all, 'a key that is new in a role has not signed')
  }
  const { seq, roles, why, witnesses = NO_WITNESSES, next = null } = event
  checkEvent(event.v >= (before.events.at(-1)?.v ?? 1), 'it is of an earlier version than the event before it')
  checkUnchanged(before, { why, roles, witnesses, next })
  checkWitnesses(before, envelope, witnesses)
  checkCommitment(before, envelope, { roles, next })
  const head = contentId(envelope.payload, { hash: 'sha2-256', codec: 'dag-cbor' })
  const events = [...before.events, event]
  return { ...before, seq, head, roles, witnesses, next, retired: why === 'retire', events }
}

/** An event that replaces no keys says so of everything. */
function checkUnchanged(
  before: KeyState,
  after: Pick<KeyState, 'roles' | 'witnesses' | 'next'> & { why: string },
): void {
  if (after.why !== 'reshare' && after.why !== 'retire') return
  const all = ({ roles, witnesses, next }: typeof before | typeof after) => ({ roles, witnesses, next })
  checkEvent(isSame(all(before), all(after)), `it is to ${after.why}, and replaces keys`)
}

function checkWitnesses(before: KeyState, envelope: Envelope, after: Threshold): void {
  const introduced = after.keys.filter((key) => !before.witnesses.keys.includes(key))
  const asked: readonly [Threshold, string][] = [
    [before.witnesses, 'the witnesses before it have not signed'],
    [after, 'its own witnesses have not signed'],
    [{ keys: introduced, threshold: introduced.length }, 'a new witness has not signed'],
  ]
  for (const [threshold, reason] of asked)
    if (threshold.threshold > 0) requireSigners(envelope, threshold, reason, 'KEY_EVENT_WITNESSES')
}

/** Whoever has stolen the identity does not know which follows, and neither takes it nor takes the commitment back. */
function checkCommitment(
  { roles: { identity }, next }: KeyState,
  envelope: Envelope,
  after: Pick<KeyState, 'roles' | 'next'>,
): void {
  if (next === null) return
  const reason = 'its identity is not the one that was committed to'
  if (isSame(identity, after.roles.identity)) {
    checkEvent(isSame(next, after.next), 'it takes a commitment back', 'KEY_EVENT_COMMITMENT')
    return
  }
  const keys = committedKeys(next, after.roles.identity.keys)
  requireSigners(envelope, { keys, threshold: next.threshold }, reason, 'KEY_EVENT_COMMITMENT')
}

function isSame(a: unknown, b: unknown): boolean {
  return equalBytes(encode(a), encode(b))
}

function requireSigners(envelope: Envelope, threshold: Threshold, reason: string, code?: KeyEventErrorCode): void {
  try {
    countSigners(envelope, KEY_EVENT, threshold)
  } catch (cause) {
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
