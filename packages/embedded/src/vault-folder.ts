import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'

/** A `vault.json` takes some hundred bytes; what is longer is another program's. */
const MAX_LENGTH = 64 * 1024

/** Whether a folder is the place of a vault: its keys must not travel as files of another. Never waits for a pipe. */
export async function isVaultFolder(dir: string): Promise<boolean> {
  let handle: FileHandle
  try {
    handle = await open(join(dir, 'vault.json'), constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch {
    // Absent, or unreadable: then its files are met, and refused, one by one.
    return false
  }
  try {
    const stats = await handle.stat()
    if (!stats.isFile() || stats.size > MAX_LENGTH) return false
    return (JSON.parse(await handle.readFile('utf8')) as { format?: unknown } | null)?.format === 'vault-place'
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  } finally {
    await handle.close()
  }
}
