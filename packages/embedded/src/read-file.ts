import { constants } from 'node:fs'
import { readlink } from 'node:fs/promises'
import type { SourceDisk } from './source-disk.ts'
import {
  changing,
  isSameFile,
  type SkippedFile,
  type SourceFile,
  type SourceFileErrorCode,
  unlessGone,
} from './source-file.ts'
import { systemError } from './system-error.ts'

/** A file that is to be put, as it was when it was looked at last. */
export interface LoadedFile {
  readonly file: SourceFile
  /** The whole content, where it fits one block; else it is read piece by piece. */
  readonly bytes?: Uint8Array
}

// A file may be swapped for a link, which must not be followed, or a pipe, which must not be waited for.
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
/** What `open` says of a symbolic link and of a socket. */
const SWAPPED: ReadonlySet<string | undefined> = new Set(['ELOOP', 'ENXIO'])
const ATTEMPTS = 3

/** Reads a file that fits one block, or a link's target; looks again where something changed meanwhile. Throws `FILE_UNREADABLE`, `FILE_CHANGING`. */
export async function loadFile(
  file: SourceFile,
  { disk, blockSize }: { readonly disk: SourceDisk; readonly blockSize: number },
): Promise<LoadedFile | SkippedFile> {
  const { path } = file
  return await unlessGone(file, async () => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const seen = attempt === 0 ? file : { ...file, stats: await disk.lstat(path) }
      const { stats } = seen
      if (!stats.isFile() && !stats.isSymbolicLink()) return { path, skipped: 'it became something else than a file' }
      if (stats.isFile() && stats.size > blockSize) return { file: seen }
      const bytes = stats.isSymbolicLink() ? await readTarget(path) : await readWhole(seen, disk)
      if (bytes !== undefined) return { file: seen, bytes }
    }
    throw changing(path)
  })
}

/** The content of a file, each piece but the last of this size. Throws `FILE_UNREADABLE`, and `FILE_CHANGING` where it is not what it was when it was seen. */
export async function* readPieces(
  file: SourceFile,
  { disk, size }: { readonly disk: SourceDisk; readonly size: number },
): AsyncGenerator<Uint8Array> {
  const { path, stats: seen } = file
  const handle = await openSeen(file, disk)
  if (handle === undefined) throw changing(path)
  try {
    for (let left = seen.size; ; ) {
      const piece = new Uint8Array(size)
      const length = await disk.fill(handle, piece)
      left -= length
      if (left < 0) throw changing(path)
      if (length > 0) yield piece.subarray(0, length)
      if (length < size) break
    }
    const now = await disk.stat(handle)
    if (now.size !== seen.size || now.mtimeMs !== seen.mtimeMs) throw changing(path)
  } catch (cause) {
    throw systemError<SourceFileErrorCode>('FILE_UNREADABLE', path, cause)
  } finally {
    await disk.close(handle)
  }
}

/** The target's bytes, which need not be UTF-8; `undefined` where it is no link any more. */
async function readTarget(path: string): Promise<Uint8Array | undefined> {
  return await readlink(path, { encoding: 'buffer' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EINVAL') return undefined
    throw error
  })
}

/** The file's content, or `undefined` where it is no longer the file that was seen, or of its length. */
async function readWhole(file: SourceFile, disk: SourceDisk): Promise<Uint8Array | undefined> {
  const handle = await openSeen(file, disk)
  if (handle === undefined) return undefined
  try {
    // Room for one byte more shows a file that has grown.
    const buffer = new Uint8Array(file.stats.size + 1)
    const length = await disk.fill(handle, buffer)
    return length === file.stats.size ? buffer.subarray(0, length) : undefined
  } finally {
    await disk.close(handle)
  }
}

/** Opens the very file that was seen; `undefined` where another one, or something else, has its path. */
async function openSeen({ path, stats }: SourceFile, disk: SourceDisk): Promise<number | undefined> {
  let handle: number
  try {
    handle = await disk.open(path, READ)
  } catch (cause) {
    if (SWAPPED.has((cause as NodeJS.ErrnoException).code)) return undefined
    throw systemError<SourceFileErrorCode>('FILE_UNREADABLE', path, cause)
  }
  let isSeen = false
  try {
    const opened = await disk.stat(handle)
    isSeen = opened.isFile() && isSameFile(opened, stats)
  } finally {
    if (!isSeen) await disk.close(handle)
  }
  return isSeen ? handle : undefined
}
