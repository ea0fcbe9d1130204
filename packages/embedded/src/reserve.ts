import { randomBytes } from 'node:crypto'
import { stat, statfs, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { flushFolder, writeDurably } from './durable-file.ts'
import { systemError } from './system-error.ts'

/** A file that keeps room on the disk: on one that is wholly full a database can neither be written nor even be read. */
export const RESERVE_FILE = 'reserve'

/** For the files beside the database, some rows, and entries of the log. */
const LENGTH = 256 * 1024
/** A disk with more room than this gives it back. */
const AMPLE = 16 * LENGTH

/** Keeps the room. No file system can leave out or share what is random. */
export async function keepReserve(dir: string): Promise<void> {
  await writeDurably(join(dir, RESERVE_FILE), randomBytes(LENGTH))
}

/** Gives the room away where the disk has none. Throws `VAULT_INACCESSIBLE`. */
export async function useReserve(dir: string): Promise<void> {
  if ((await freeBytes(dir)) >= LENGTH) return
  try {
    await unlink(join(dir, RESERVE_FILE))
    await flushFolder(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw systemError('VAULT_INACCESSIBLE', dir, error)
  }
}

/** Keeps the room again where it was given away and there is enough. */
export async function restoreReserve(dir: string): Promise<void> {
  try {
    if (!(await isKept(dir)) && (await freeBytes(dir)) >= AMPLE) await keepReserve(dir)
  } catch {
    // Whoever opens the place next tries again; this one has done what it was asked for.
  }
}

async function isKept(dir: string): Promise<boolean> {
  const found = await stat(join(dir, RESERVE_FILE)).catch(() => undefined)
  return found?.size === LENGTH
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}
