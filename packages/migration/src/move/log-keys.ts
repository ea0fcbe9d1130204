import type { LogKey } from '@vault/audit-chain'
import { originOf } from '@vault/audit-chain'
import type { AbortOptions, ContentId, KeyState } from '@vault/core'
import { decodeEnvelope, isVaultError } from '@vault/core'
import type { SoupStore } from '@vault/soup'
import type { Handoff } from '../records/handoff.ts'
import { parseHandoff, verifyHandoff } from '../records/handoff.ts'
import { keyStateAt } from './key-state.ts'

/** Every key that may have signed checkpoints of a vault's trail, with no limits. */
export function logKeys({ vault, events }: KeyState): readonly LogKey[] {
  const keys = new Set(events.flatMap(({ roles }) => roles.log.keys))
  return [...keys].map((key) => ({ name: originOf(vault), key }))
}

/**
 * The log keys of a vault as they are known at a place, each good for checkpoints up to where the log was handed on. A place keeps the
 * last hand-off only: keys that were retired by earlier ones count up to the size that it names.
 */
export async function logKeysAt(
  { store }: { readonly store: SoupStore },
  vault: ContentId,
  options?: AbortOptions,
): Promise<readonly LogKey[]> {
  // Before the key events: with one that is older than they are, nothing is limited that should not be.
  const evidence = await store.tenures.evidence(vault, options)
  const state = await keyStateAt({ store }, vault, options)
  const keys = logKeys(state)
  const handoff = evidence && handoffIn(evidence, state)
  if (handoff === undefined) return keys
  const maxSize = handoff.log.size
  const current = new Set(handoff.key_event.id === state.head ? state.roles.log.keys : [])
  return keys.map((key) => (current.has(key.key) ? key : { ...key, maxSize }))
}

/** The hand-off by which the vault came to the place, or left it; `undefined` where what is kept is none. */
function handoffIn(evidence: Uint8Array, state: KeyState): Handoff | undefined {
  try {
    const envelope = decodeEnvelope(evidence)
    const handoff = parseHandoff(envelope.payload)
    // Its signers were of the state before, if it has taken effect here.
    if (handoff.vault.id === state.vault && handoff.key_event.id === state.head) return handoff
    return verifyHandoff(envelope, { history: state })
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}
