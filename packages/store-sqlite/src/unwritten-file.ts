import { statSync } from 'node:fs'
import { storeError } from './sqlite-error.ts'

/**
 * What tells one state of a database file from another, for reading it without locks. Throws `SOUP_BUSY` while there is
 * something in the write-ahead log beside it, which such a reader does not see. Only asks for the names' attributes:
 * closing a descriptor of the file would drop SQLite's locks on it.
 */
export function stateOfUnwritten(file: string): string {
  if (hasLog(file)) throw foreignWriter(file)
  return stateOf(file)
}

/** Whether nobody has written the file since it was in this state. */
export function isUnwritten(file: string, state: string): boolean {
  return !hasLog(file) && stateOf(file) === state
}

/**
 * Runs a read that is only worth something while the file stays in this state; where there is none, locks keep it. Throws
 * `SOUP_BUSY` where it did not.
 */
export function whileUnwritten<T>(file: string, state: string | undefined, read: () => T): T {
  const requireState = (cause?: unknown) => {
    if (state !== undefined && !isUnwritten(file, state)) throw foreignWriter(file, cause)
  }
  let result: T
  try {
    result = read()
  } catch (error) {
    // Pages of two states do not fit together, which is no damage.
    requireState(error)
    throw error
  }
  requireState()
  return result
}

function hasLog(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
}

function stateOf(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false })
  return `${stats?.dev} ${stats?.ino} ${stats?.size} ${stats?.mtimeNs}`
}

function foreignWriter(file: string, cause?: unknown): Error {
  const message = `Another user writes ${file}, or left a write-ahead log beside it, and without write access to its folder that cannot be followed. Repeat when they have closed it, or read as that user.`
  return storeError('SOUP_BUSY', message, { details: { file }, cause })
}
