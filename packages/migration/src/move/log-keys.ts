import type { LogKey } from '@vault/audit-chain'
import { originOf } from '@vault/audit-chain'
import type { AbortOptions, ContentId, KeyState } from '@vault/core'
import { decodeEnvelope, isVaultError } from '@vault/core'
import type { Records, SoupStore } from '@vault/soup'
import { readLogBound } from '../keys/log-bound.ts'
import type { Handoff } from '../records/handoff.ts'
import { parseHandoff, verifyHandoff } from '../records/handoff.ts'
import { keyStateAt } from './key-state.ts'

/** Every key that may have signed checkpoints of a vault's trail, with no limits. */
export function logKeys({ vault, events }: KeyState): readonly LogKey[] {
  const keys = new Set(events.flatMap(({ roles }) => roles.log.keys))
  return [...keys].map((key) => ({ name: originOf(vault), key }))
}

/**
 * The log keys of a vault as they are known at a place, each good for checkpoints up to where the log was handed on, or went on
 * under another key. A place keeps the last hand-off only, and its own rotations: keys that were retired by earlier ones count up to the
 * first size that is known to be behind theirs.
 */
export async function logKeysAt(
  { store }: { readonly store: SoupStore },
  vault: ContentId,
  options?: AbortOptions,
): Promise<readonly LogKey[]> {
  // Before the key events: with one that is older than they are, nothing is limited that should not be.
  const evidence = await store.tenures.evidence(vault, options)
  const state = await keyStateAt({ store }, vault, options)
  const bounds = await rotationBounds(store.records, state, options)
  const handedOn = evidence && handoffIn(evidence, state)
  if (handedOn !== undefined) bounds.push(handedOn)
  return logKeys(state).map((key) => {
    const last = state.events.findLastIndex(({ roles }) => roles.log.keys.includes(key.key))
    const behind = bounds.filter(({ seq }) => seq > last).map(({ size }) => size)
    return behind.length === 0 ? key : { ...key, maxSize: Math.min(...behind) }
  })
}

/** The size of the log when the key event of this number took effect. */
interface Bound {
  readonly seq: number
  readonly size: number
}

async function rotationBounds(records: Records, state: KeyState, options?: AbortOptions): Promise<Bound[]> {
  const bounds: Bound[] = []
  for (const [seq, { why }] of state.events.entries()) {
    if (why === 'inception' || why === 'migrate') continue
    const size = await readLogBound(records, eventId(state, seq), options)
    if (size !== undefined) bounds.push({ seq, size })
  }
  return bounds
}

/** The hand-off by which the vault came to the place, or left it; `undefined` where what is kept is none. */
function handoffIn(evidence: Uint8Array, state: KeyState): Bound | undefined {
  try {
    const envelope = decodeEnvelope(evidence)
    const handoff = parseHandoff(envelope.payload)
    // Its signers were of the state before, if it has taken effect here.
    const seq = state.events.findIndex((_, i) => eventId(state, i) === handoff.key_event.id)
    if (handoff.vault.id === state.vault && seq > 0) return boundOf(handoff, seq)
    return boundOf(verifyHandoff(envelope, { history: state }), state.events.length)
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}

function boundOf({ log }: Handoff, seq: number): Bound {
  return { seq, size: log.size }
}

/** The id of an event: the one after it names it. */
function eventId({ events, head }: KeyState, seq: number): ContentId {
  return events[seq + 1]?.prev?.id ?? head
}
