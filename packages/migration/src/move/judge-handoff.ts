import type { LogKey } from '@vault/audit-chain'
import { openCheckpoint, originOf } from '@vault/audit-chain'
import type { ContentId, KeyEventDraft, KeyState } from '@vault/core'
import { decode, decodeEnvelope, encode, equalBytes, isVaultError, keyEventPayload, toHex } from '@vault/core'
import { parseHandoff } from '../records/handoff.ts'
import type { LogHead } from '../records/statement-field.ts'

// What a target compares of the documents of a move.

// As core reads key events.
const MAX_KEY_EVENT = { maxBytes: 64 * 1024, maxDepth: 8 }
/** Of a `Date`, in seconds. */
const LATEST = 8.64e12

/** Whether a list of key events begins with another one: the same payloads, whoever signed them. */
export function continues(events: readonly Uint8Array[], known: readonly Uint8Array[]): boolean {
  const payload = (bytes: Uint8Array) => decodeEnvelope(bytes).payload
  return known.every((event, i) => {
    const offered = events[i]
    return offered !== undefined && (equalBytes(event, offered) || isEqual(payload(event), payload(offered)))
  })
}

/** Whether a key event is this one, whatever time it claims. */
export function isEndorsable(keyEvent: Uint8Array, due: Pick<KeyEventDraft, 'history' | 'roles' | 'context'>): boolean {
  const event = decode(keyEvent, MAX_KEY_EVENT)
  const at = typeof event === 'object' && event !== null && 'at' in event ? event.at : undefined
  if (typeof at !== 'number' || !(at >= 0 && at <= LATEST)) return false
  return equalBytes(keyEvent, keyEventPayload({ ...due, why: 'migrate', at: new Date(at * 1000) }))
}

export function currentLogKeys({ vault, roles }: KeyState): readonly LogKey[] {
  return roles.log.keys.map((key) => ({ name: originOf(vault), key }))
}

/** Size and root of a signed note of the vault's log, signed by as many of its keys as it takes; `undefined` for any other. */
export function headOf(note: Uint8Array, history: KeyState): LogHead | undefined {
  try {
    const keys = currentLogKeys(history)
    const { checkpoint, signedBy } = openCheckpoint(note, { origin: originOf(history.vault), keys })
    if (signedBy.length < history.roles.log.threshold) return undefined
    return { size: checkpoint.size, root: toHex(checkpoint.root) }
  } catch (error) {
    if (!isVaultError(error)) throw error
    return undefined
  }
}

export function claimOf(envelope: Uint8Array): { vault: ContentId; migration: string; epoch: number } {
  const { vault, migration, epoch } = parseHandoff(decodeEnvelope(envelope).payload)
  return { vault: vault.id, migration, epoch }
}

/** Whether two values have the same canonical form. */
export function isEqual(a: unknown, b: unknown): boolean {
  return equalBytes(encode(a), encode(b))
}
