import type { Stats } from 'node:fs'
import { isVaultError, VaultError } from '@vault/core'
import { systemError } from './system-error.ts'

/** The `code` of the errors about files on disk that are to be put into a vault. */
export type SourceFileErrorCode =
  /** The system refuses to have it read. `details.path`, `details.errno`. */
  | 'FILE_UNREADABLE'
  /** A file changed while it was read, again and again. `details.path`. */
  | 'FILE_CHANGING'
  /** A file is a private key. `details.path`, `details.kind`. */
  | 'FILE_SECRET'

/** Something on disk, and the name it will have. */
export interface SourcePath {
  readonly path: string
  readonly name: string
  /** Found in a folder, not named by the caller: whoever else works there may take it away. */
  readonly below: boolean
}

/** A file or a symbolic link on disk as it was seen last. */
export interface SourceFile extends SourcePath {
  readonly stats: Stats
}

/** What is found on disk and does not go into a vault. */
export interface SkippedFile {
  readonly path: string
  readonly skipped: string
}

/** Does what needs something on disk; what was found in a folder and is gone by now is skipped. Throws `FILE_UNREADABLE`. */
export async function unlessGone<Result>(
  { path, below }: Pick<SourcePath, 'path' | 'below'>,
  work: () => Promise<Result>,
): Promise<Result | SkippedFile> {
  try {
    return await work()
  } catch (cause) {
    const error = systemError<SourceFileErrorCode>('FILE_UNREADABLE', path, cause)
    if (below && isVaultError(error, 'FILE_UNREADABLE') && error.details.errno === 'ENOENT') {
      return { path, skipped: 'it was gone before it could be read' }
    }
    throw error
  }
}

export function isSkipped(value: object): value is SkippedFile {
  return 'skipped' in value
}

export function isSameFile(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev
}

export function changing(path: string): VaultError<SourceFileErrorCode> {
  return new VaultError({
    code: 'FILE_CHANGING',
    message: `${path} changes while it is read. Put it again when nothing writes to it.`,
    details: { path },
  })
}
