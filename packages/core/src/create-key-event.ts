import type { Bytes } from './bytes.ts'
import { compareBytes } from './bytes.ts'
import { encode } from './cbor-encode.ts'
import type { Envelope, Threshold } from './envelope.ts'
import { signEnvelope } from './envelope.ts'
import type { KeyEvent, KeyEventContext, KeyEventReason } from './key-event.ts'
import { KEY_EVENT } from './key-event-payload.ts'
import type { KeyState } from './key-history.ts'
import { followKeyState, keyStateAfter } from './key-history.ts'
import type { NextKeys } from './key-witnesses.ts'
import { link } from './link.ts'
import type { AbortOptions } from './options.ts'
import type { Roles } from './roles.ts'
import { isSameThreshold, sortRoles } from './roles.ts'
import type { Signer } from './signature.ts'

/** What a new key event is to say. */
export interface KeyEventDraft {
  /** The keys of the vault before it. */
  readonly history: KeyState
  readonly why: KeyEventReason
  /** The keys of a role in any order. */
  readonly roles: Roles
  readonly context?: KeyEventContext
  /** Default: as before. */
  readonly witnesses?: Threshold
  /** Default: as before where the identity stays, else `null`. */
  readonly next?: NextKeys | null
  readonly at: Date
}

/**
 * Replaces the roles of a vault. Must be signed by the identity threshold of the roles before it, by the identity
 * threshold of its own, and by every key that is new in a role, as proof that it is possessed. Throws `KEY_EVENT_INVALID`
 * for contents that no reader takes, and where a signer is missing; besides `KEY_EVENT_RETIRED`, `KEY_EVENT_WITNESSES` and
 * `KEY_EVENT_COMMITMENT`.
 */
export async function createKeyEvent(
  draft: KeyEventDraft,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  const envelope = await signEnvelope(KEY_EVENT, keyEventPayload(draft), signers, options)
  followKeyState(draft.history, envelope)
  return envelope
}

/**
 * What is signed in a new key event, for signers that are not in one place: each signs it with `signEnvelope('key', …)`, and
 * `mergeEnvelopes` joins them. Throws `KEY_EVENT_INVALID` for contents that no reader takes, `KEY_EVENT_RETIRED` for a vault that has
 * ended, `KEY_EVENT_COMMITMENT` for what a commitment of the vault keeps out.
 */
export function keyEventPayload(draft: KeyEventDraft): Bytes {
  const { history, why, roles, context, at } = draft
  const more = moreOf(draft)
  const event: KeyEvent = {
    type: 'key',
    v: more === undefined ? 1 : 2,
    seq: history.seq + 1,
    prev: link(history.head),
    why,
    roles: sortRoles(roles),
    ...(context === undefined ? {} : { context }),
    ...more,
    at: Math.floor(at.getTime() / 1000),
  }
  const payload = encode(event)
  keyStateAfter(history, payload)
  return payload
}

/** What version 2 says besides, which is written where there is something to say, or was before. */
function moreOf({ history, why, roles, ...draft }: KeyEventDraft): Pick<KeyEvent, 'witnesses' | 'next'> | undefined {
  const { keys, threshold } = draft.witnesses ?? history.witnesses
  const stays = isSameThreshold(sortRoles(roles).identity, history.roles.identity)
  const next = draft.next === undefined ? (stays ? history.next : null) : draft.next
  const isPlain = threshold === 0 && next === null && why !== 'reshare' && why !== 'retire'
  if (isPlain && history.events.at(-1)?.v !== 2) return undefined
  const sorted = next && { ...next, digests: next.digests.toSorted(compareBytes) }
  return { witnesses: { keys: keys.toSorted(), threshold }, next: sorted }
}
