import { createReadStream } from 'node:fs'
import type { Bytes } from '@vault/core'
import type { SourceFileErrorCode } from './source-file.ts'
import { systemError } from './system-error.ts'

const CHUNK = 1024 * 1024

/** The bytes of a file, in pieces. Throws `FILE_UNREADABLE`. */
export async function* readPiecesOf(path: string): AsyncGenerator<Bytes> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: CHUNK })) yield piece
  } catch (cause) {
    throw systemError<SourceFileErrorCode>('FILE_UNREADABLE', path, cause)
  }
}
