import { mkdir, open, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemRandom, toHex } from '@vault/core'

/** Flushes a folder, so that what was created, renamed or removed in it stays so. */
export async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Creates folders as needed, each one's name flushed in the one above it. Level by level: the platform's recursive mkdir
 * never ends where a folder cannot be made and says that it is not there, as under /proc. `mode` is that of the last one.
 */
export async function createFolder(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, mode)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path) throw error
    await createFolder(parent)
    await mkdir(path, mode).catch(async (again: NodeJS.ErrnoException) => {
      // Another process may have been faster.
      if (again.code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw again
    })
  }
  await flushFolder(dirname(path))
}

/** Whether this is the name of a file that `writeDurably` has not finished. */
export function isDraft(name: string): boolean {
  return /\.[0-9a-f]+\.tmp$/.test(name)
}

/** Writes a small file, readable by its owner only, whole or not at all: another name, flush, rename, flush of the folder. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  await withDraft(path, content, (draft) => rename(draft, path))
}

/**
 * Gives a file that is whole and flushed, beside the path that it is meant for, to `name`, which gives it that name; then flushes the
 * folder. Whatever becomes of it, no draft is left.
 */
export async function withDraft(
  path: string,
  content: string | Uint8Array,
  name: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${path}.${toHex(systemRandom(8))}.tmp`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await name(draft)
  } finally {
    // A rename has taken it away already.
    await unlink(draft).catch(() => undefined)
  }
  await flushFolder(dirname(path))
}
