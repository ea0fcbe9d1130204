import { statfs } from 'node:fs/promises'

/** What can still be written on the disk of a folder, in bytes. A file system that does not tell says that it has no blocks at all. */
export async function freeSpace(dir: string): Promise<{ readonly bytes: number; readonly isTold: boolean }> {
  const { blocks, bavail, bsize } = await statfs(dir)
  return { bytes: bavail * bsize, isTold: blocks > 0 }
}
