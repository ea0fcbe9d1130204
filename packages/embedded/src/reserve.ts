import { randomBytes } from 'node:crypto'
import { stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { flushFolder, writeDurably } from './durable-file.ts'
import { freeSpace } from './free-space.ts'
import { systemError } from './system-error.ts'

/** A file that keeps room on the disk: on one that is wholly full a database can neither be written nor even be read. */
export const RESERVE_FILE = 'reserve'

/** For the files beside the database, some rows, and entries of the log. */
const LENGTH = 256 * 1024
/** A disk with more room than this gives it back. */
const AMPLE = 16 * LENGTH

/** Keeps the room. No file system can leave out or share what is random. */
export async function keepReserve(dir: string, length = LENGTH): Promise<void> {
  await writeDurably(join(dir, RESERVE_FILE), randomBytes(length))
}

/** Gives the room away where the disk has none, and says whether it did. Throws `VAULT_INACCESSIBLE`. */
export async function useReserve(dir: string): Promise<boolean> {
  if ((await freeSpace(dir)).bytes >= LENGTH) return false
  try {
    await unlink(join(dir, RESERVE_FILE))
    await flushFolder(dir)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw systemError('VAULT_INACCESSIBLE', dir, error)
  }
}

/** Keeps the room again that was given away to open a place: half of it where something, as a folder that grew, has taken of it. */
export async function returnReserve(dir: string): Promise<void> {
  if (await isKept(dir)) return
  for (const length of [LENGTH, LENGTH / 2]) {
    try {
      return await keepReserve(dir, length)
    } catch {
      // Whoever makes room and opens the place to write next keeps it again.
    }
  }
}

/** Keeps the room again where it was given away and there is enough. */
export async function restoreReserve(dir: string): Promise<void> {
  try {
    if (!(await isKept(dir)) && (await freeSpace(dir)).bytes >= AMPLE) await keepReserve(dir)
  } catch {
    // Whoever opens the place next tries again; this one has done what it was asked for.
  }
}

async function isKept(dir: string): Promise<boolean> {
  const found = await stat(join(dir, RESERVE_FILE)).catch(() => undefined)
  return found?.size === LENGTH
}
