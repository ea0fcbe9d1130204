import { lstat, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createVault, openVault } from '../src/index.ts'

/** A folder that is removed at the end of the test. */
export async function scratch(): Promise<{ at(...parts: string[]): string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'embedded-'))
  return {
    at: (...parts) => join(dir, ...parts),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true }),
  }
}

/** Every file and folder under a folder, with its permissions; files with their bytes. */
export async function snapshot(dir: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const mode = ((await lstat(path)).mode & 0o777).toString(8)
    found[relative(dir, path)] = entry.isFile() ? `${mode} ${(await readFile(path)).toString('base64')}` : mode
  }
  return found
}

/** A vault with 20 objects. */
export async function filledVault(dir: string): Promise<void> {
  await createVault(dir, { passphrase: undefined })
  await using vault = await openVault(dir)
  await Promise.all(Array.from({ length: 20 }, (_, i) => vault.put(new TextEncoder().encode(`object ${i}`))))
}
