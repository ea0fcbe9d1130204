import type { Bytes, Clock, Signer } from '@vault/core'
import { createSigner } from '@vault/core'
import type { AuditEvent, LogStore, NoteKey, Trail } from '../src/index.ts'
import { encodeEvent, openTrail } from '../src/index.ts'

export const ORIGIN = 'vault.example/trail'
export const signer: Signer = createSigner(new Uint8Array(32).fill(7))
export const keys: readonly NoteKey[] = [{ name: ORIGIN, key: signer.key }]
export const clock: Clock = () => new Date(1_800_000_000_000)

/** The event of an index: the same one whenever it is asked for. */
export function event(n: number, change: Partial<AuditEvent> = {}): AuditEvent {
  return {
    time: 1_700_000_000 + n,
    actor: { name: 'kim', key: signer.key, proven: true },
    action: { verb: n % 3 === 0 ? 'put' : 'remove', object: `path:photos/${n}.jpg`, parameters: { size: n } },
    key: `test:${n}`,
    ...change,
  }
}

/** The bytes of the events from one index up to another. */
export function events(from: number, to: number): Bytes[] {
  return Array.from({ length: to - from }, (_, i) => encodeEvent(event(from + i)))
}

/** The trail of a store, to write. */
export async function trailOf(store: LogStore): Promise<Trail> {
  return await openTrail({ origin: ORIGIN, store, keys, signer, clock })
}
