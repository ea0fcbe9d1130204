import type { AbortOptions, Bytes } from '@vault/core'
import { parseDecimal } from './decimal.ts'
import { parseTilePath } from './tile.ts'
import { trailError } from './trail-error.ts'

/**
 * Where the files of a log are read: a store, or whatever serves them. Untrusted: what it gives is checked against a
 * signed checkpoint.
 */
export interface LogReader {
  /**
   * The content of a file by its name in the log: a tile or entry bundle, `checkpoint`, or `checkpoints/<size>`.
   * `undefined` where there is none. Throws `AUDIT_NAME_INVALID` for other names; failing to read is an error, never `undefined`.
   */
  read(name: string, options?: AbortOptions): Promise<Bytes | undefined>
}

/** A log that lies somewhere as a whole. */
export interface StoredLog extends LogReader {
  /**
   * The latest checkpoint that a swap has put in place; `undefined` where there was none. Durable before it is returned by
   * a store that can write.
   */
  head(options?: AbortOptions): Promise<Bytes | undefined>
  /**
   * Names of the files in `checkpoints`, or of the partial tiles in the folder of a tile, as `tile/0/000.p`: without the
   * folder, in no order, none where it is not there. Throws `AUDIT_NAME_INVALID` for other folders.
   */
  list(folder: string, options?: AbortOptions): Promise<readonly string[]>
}

/** A file of a log. */
export interface LogFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/**
 * Keeps the files of one log. Several processes may write at once, as long as all of them write the same entries: the files
 * of a tree are then the same whoever writes them, and the head alone decides who came first.
 */
export interface LogStore extends StoredLog {
  /**
   * Writes tiles, entry bundles or `checkpoints/<size>`, replacing what has the name. Each file is whole or not there at
   * any time, and all are durable, names included, when this resolves. Where it rejects, any of them may be there.
   */
  write(files: readonly LogFile[], options?: AbortOptions): Promise<void>
  /** Removes files; those that are not there are no error. Need not be durable. */
  remove(names: readonly string[], options?: AbortOptions): Promise<void>
  /**
   * Puts `next` in the place of the head `expected`, `undefined` for none, and keeps it as `checkpoints/<size>`. Of several
   * that expect the same head one succeeds; for all others, and where the head is another, it is `false` and nothing has changed.
   * Durable when it resolves. Where it rejects, the head may be either: ask again.
   */
  swapHead(expected: Uint8Array | undefined, next: Uint8Array, size: number, options?: AbortOptions): Promise<boolean>
}

/** A store that need not flush the files of an extension before their checkpoint is signed. */
export interface StagingLogStore extends LogStore {
  /**
   * As {@link LogStore.write}, but the files need not be durable when this resolves: the next {@link LogStore.swapHead} of
   * this store makes them so before it moves the head. What had the name and was durable stays whole through any crash.
   */
  stage(files: readonly LogFile[], options?: AbortOptions): Promise<void>
}

/** Whether a store can {@link StagingLogStore.stage}. */
export function isStagingLogStore(store: LogStore): store is StagingLogStore {
  return typeof (store as Partial<StagingLogStore>).stage === 'function'
}

/** The folder of the checkpoints that were ever published. */
export const CHECKPOINTS = 'checkpoints'

/** The name under which the checkpoint of this size is kept. */
export function checkpointName(size: number): string {
  return `${CHECKPOINTS}/${size}`
}

/** Throws `AUDIT_NAME_INVALID` unless a log can have a file of this name: no other path ever reaches a file system. */
export function checkReadName(name: string): void {
  if (name !== 'checkpoint') checkWriteName(name)
}

/** As {@link checkReadName}, for the files that {@link LogStore.write} and {@link LogStore.remove} take. */
export function checkWriteName(name: string): void {
  if (name.startsWith(`${CHECKPOINTS}/`) && parseDecimal(name.slice(CHECKPOINTS.length + 1)) !== undefined) return
  try {
    parseTilePath(name)
  } catch {
    throw invalidName(name)
  }
}

/** Throws `AUDIT_NAME_INVALID` unless {@link StoredLog.list} takes this folder. */
export function checkFolder(folder: string): void {
  if (folder === CHECKPOINTS) return
  if (!folder.endsWith('.p')) throw invalidName(folder)
  checkWriteName(`${folder}/1`)
}

function invalidName(name: string): Error {
  return trailError('AUDIT_NAME_INVALID', `No log has a file named ${JSON.stringify(String(name).slice(0, 80))}.`)
}
