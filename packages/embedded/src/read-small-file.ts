import { readFile } from 'node:fs/promises'
import type { SourceFileErrorCode } from './source-file.ts'
import { systemError } from './system-error.ts'

/** The text of a file that is small by its nature. Throws `FILE_UNREADABLE`. */
export async function readSmallFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw systemError<SourceFileErrorCode>('FILE_UNREADABLE', file, error)
  }
}
