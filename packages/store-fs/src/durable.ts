import { dirname } from 'node:path'
import type { Fs, FsFile } from './fs.ts'
import { errorCode, writeFully } from './fs.ts'

/**
 * Makes a file whole or not at all: `write` fills a temporary one beside it, which is flushed and then takes the name.
 * Resolves when content and name are durable. `temporary` must be unique and on the same file system.
 */
export async function replaceFile(
  fs: Fs,
  path: string,
  temporary: string,
  write: (file: FsFile) => Promise<void>,
): Promise<void> {
  const file = await fs.open(temporary, 'create')
  try {
    try {
      await write(file)
      await file.datasync()
    } finally {
      await file.close()
    }
    await fs.rename(temporary, path)
  } catch (error) {
    // The first failure is the one to report; what is left over is swept up at the next opening.
    await fs.remove(temporary).catch(() => {})
    throw error
  }
  await fs.syncDir(dirname(path))
}

/** {@link replaceFile} for bytes that are in memory. */
export async function writeDurably(fs: Fs, path: string, temporary: string, bytes: Uint8Array): Promise<void> {
  await replaceFile(fs, path, temporary, (file) => writeFully(file, bytes, 0))
}

/**
 * Makes a folder, and those above it, durable. Each one's name is flushed before anything is made in it: so where a folder
 * is found, those above it need no flush, also when an earlier try failed half-way.
 */
export async function makeFolder(fs: Fs, path: string): Promise<void> {
  try {
    await fs.mkdir(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolder(fs, dirname(path))
    await fs.mkdir(path)
  }
  await fs.syncDir(dirname(path))
}
