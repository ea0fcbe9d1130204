import { concatBytes } from '@vault/core'
import { UsageError } from './exit-code.ts'

const LIMIT = 64 * 1024

/** The text of a small file, or of stdin for `-`. Throws `FILE_UNREADABLE`, and a `UsageError` for what is longer than any key. */
export async function readSmall(file: string): Promise<string> {
  const { readPiecesOf } = await import('@vault/embedded')
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of file === '-' ? process.stdin : readPiecesOf(file)) {
    pieces.push(piece as Uint8Array)
    length += (piece as Uint8Array).length
    if (length > LIMIT) throw new UsageError(`${file} is longer than ${LIMIT} bytes, and so no key.`)
  }
  return Buffer.from(concatBytes(...pieces)).toString('utf8')
}
