import type { AbortOptions, Bytes } from '@vault/core'
import { equalBytes } from '@vault/core'
import { EMPTY_ROOT } from '@vault/merkle'
import { AuthenticTiles } from './authentic-tiles.ts'
import type { LogKey } from './checkpoint.ts'
import { openCheckpoint } from './checkpoint.ts'
import type { LogReader, StoredLog } from './log-store.ts'
import { trailError } from './trail-error.ts'

/** A log at one checkpoint, with the tree that its root stands for. */
export interface TrailHead {
  /** The signed note; `undefined` while the log is empty and nothing was ever signed. */
  readonly note: Bytes | undefined
  readonly tiles: AuthenticTiles
}

/** Whose log it is: the origin, and every key that may have signed the checkpoints that are met. */
export interface LogIdentity {
  readonly origin: string
  readonly keys: readonly LogKey[]
}

/** The tree of this signed checkpoint; of the empty log where there is none. */
export async function openHead(
  reader: LogReader,
  note: Bytes | undefined,
  identity: LogIdentity,
  options?: AbortOptions,
): Promise<TrailHead> {
  const { size, root } = note === undefined ? { size: 0, root: EMPTY_ROOT } : openCheckpoint(note, identity).checkpoint
  return { note, tiles: await AuthenticTiles.load(reader, { size, root }, options) }
}

/**
 * The head of a store as it is now. `known`: the latest one that was seen, which it must continue. Throws
 * `AUDIT_ROLLBACK` where it is shorter and `AUDIT_FORK` where it begins otherwise.
 */
export async function loadHead(
  store: StoredLog,
  identity: LogIdentity,
  known?: TrailHead,
  options?: AbortOptions,
): Promise<TrailHead> {
  const note = await store.head(options)
  if (known !== undefined && sameNote(note, known.note)) return known
  const head = await openHead(store, note, identity, options)
  if (known !== undefined) await checkContinues(head, known, options)
  return head
}

async function checkContinues(
  { tiles }: TrailHead,
  { tiles: known }: TrailHead,
  options?: AbortOptions,
): Promise<void> {
  const sizes = { size: tiles.size, known: known.size }
  if (tiles.size < known.size) {
    const message = `The log has ${tiles.size} entries, but had ${known.size}. An old copy of it was put back: find the newer one.`
    throw trailError('AUDIT_ROLLBACK', message, sizes)
  }
  if (!equalBytes(await tiles.rootAt(known.size, options), known.root)) {
    const message = `The first ${known.size} entries of the log are not those that it had before. Keep both checkpoints as evidence.`
    throw trailError('AUDIT_FORK', message, sizes)
  }
}

function sameNote(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}
