import { isVaultError, VaultError } from '@vault/core'
import type { SoupErrorCode } from '@vault/soup'

/** Result codes of SQLite, https://sqlite.org/rescode.html: the primary code is the low byte of an extended one. */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26
/** An extended code of IOERR: the shared memory beside the database, which is a file, could not grow. */
const IOERR_SHMSIZE = 4874
/** Those of the extended codes of IOERR that tell of the file's content: READ, SHORT_READ, DATA, CORRUPTFS. */
const UNREADABLE: readonly unknown[] = [266, 522, 8202, 8458]

/** Whether somebody else holds the lock, or writes where there are no locks: try again later. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === BUSY || code === LOCKED || isVaultError(error, 'SOUP_BUSY')
}

/** Whether the file, or the shared memory beside it, cannot be opened. */
export function cannotOpen(error: unknown): boolean {
  const code = resultCode(error)
  return code === CANTOPEN || code === READONLY
}

/** Whether the file does not begin as an SQLite database does. */
export function isNoDatabase(error: unknown): boolean {
  return resultCode(error) === NOTADB
}

/** Whether the file is no SQLite database, or one whose structure is broken. */
export function isBroken(error: unknown): boolean {
  const code = resultCode(error)
  // The driver refuses integers beyond 2^53, which we never store.
  return code === CORRUPT || code === NOTADB || (error as { code?: unknown }).code === 'ERR_OUT_OF_RANGE'
}

/** Whether there is no more room for the file, or for those beside it. */
export function isFull(error: unknown): boolean {
  return resultCode(error) === FULL || (error as { errcode?: unknown } | null)?.errcode === IOERR_SHMSIZE
}

/** What SQLite reports, in our codes; of a full disk with `details.errno`, `ENOSPC`. Anything that is no error of SQLite comes back unchanged. */
export function soupErrorFrom(error: unknown, file: string, doing: 'read' | 'write'): unknown {
  const code = resultCode(error)
  if (isBroken(error) || (doing === 'read' && UNREADABLE.includes((error as { errcode?: unknown }).errcode))) {
    return storeError(
      'SOUP_CORRUPT',
      `${file} is damaged: ${messageOf(error)}. Receive the vault from another place.`,
      {
        details: { file, table: '', key: '' },
        cause: error,
      },
    )
  }
  if (code === undefined || !(isFull(error) || REFUSALS.has(code))) return error
  const [why, details] = isFull(error)
    ? ['. The disk is full: make room, then repeat.', { file, errno: 'ENOSPC' }]
    : [`: ${messageOf(error)}. ${REFUSALS.get(code)}`, { file }]
  const message = `${file} was not ${doing === 'read' ? 'read' : 'changed'}${why}`
  const more = { details, cause: error }
  return storeError(doing === 'read' ? 'SOUP_READ_FAILED' : 'SOUP_WRITE_FAILED', message, more)
}

/** What to do where the system refuses for another reason than that the disk is full. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [IOERR, 'The system refused: see that the disk works and has room, for the files beside it too, and repeat.'],
  [READONLY, 'Get write access to the file and its folder, and repeat.'],
  [CANTOPEN, 'Get access to the file and its folder, and repeat.'],
])

/** An error of this store. */
export function storeError(
  code: SoupErrorCode,
  message: string,
  more: { readonly details: Readonly<Record<string, unknown>>; readonly cause?: unknown },
): VaultError<SoupErrorCode> {
  return new VaultError({ code, message, ...more })
}

/** A row that is not what its check says. */
export function damagedRow(table: string, key: string, why: string, cause?: unknown): VaultError<SoupErrorCode> {
  const message = `A row of table ${table} is damaged (${key}): ${why}. Check the whole store, then receive what is lost from another place.`
  return storeError('SOUP_CORRUPT', message, { details: { table, key }, ...(cause === undefined ? {} : { cause }) })
}

/** What could be read, `undefined` where it is damaged. */
export function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isVaultError(error, 'SOUP_CORRUPT')) return undefined
    throw error
  }
}

function resultCode(error: unknown): number | undefined {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
