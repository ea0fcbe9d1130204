import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fromUtf8, VaultError } from '@vault/core'
import { checkName, type NameErrorCode } from './name.ts'
import type { SourceDisk } from './source-disk.ts'
import { isSameFile, isSkipped, type SkippedFile, type SourceFile, type SourcePath, unlessGone } from './source-file.ts'
import { isVaultFolder } from './vault-folder.ts'

/**
 * All files and symbolic links under the paths, folders entered in the order in which the disk lists them. Links are not
 * followed. Skipped and said: sockets, devices, pipes, empty folders, what goes away meanwhile, and vaults: the one at
 * `exclude` and any other. Throws `FILE_UNREADABLE`, `VAULT_NAME_INVALID`.
 */
export async function* walkFiles(
  paths: readonly SourcePath[],
  options: { readonly disk: SourceDisk; readonly exclude: string; readonly signal?: AbortSignal | undefined },
): AsyncGenerator<SourceFile | SkippedFile> {
  const { disk } = options
  const excluded = await stat(options.exclude)
  const pending = paths.toReversed()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    options.signal?.throwIfAborted()
    const found = await look(next, disk)
    const { path } = found
    if (isSkipped(found)) yield found
    else if (isFileOrLink(found.stats)) yield found
    else if (!found.stats.isDirectory()) yield { path, skipped: 'it is a socket, a device or a pipe' }
    else if (isSameFile(found.stats, excluded)) yield { path, skipped: 'it is the vault itself' }
    else if (await isVaultFolder(path)) yield { path, skipped: 'it is another vault' }
    else yield* listFolder(found, { disk, pending })
  }
}

/** Yields the files and links of one folder and leaves the rest for later. */
async function* listFolder(
  folder: SourcePath,
  { disk, pending }: { readonly disk: SourceDisk; readonly pending: SourcePath[] },
): AsyncGenerator<SourceFile | SkippedFile> {
  // As bytes: the platform's texts have a replacement character where a name is not UTF-8. The types know only texts.
  const opened = await unlessGone(folder, () =>
    opendir(folder.path, { bufferSize: 1024, encoding: 'buffer' as BufferEncoding }),
  )
  if (isSkipped(opened)) {
    yield opened
    return
  }
  let empty = true
  try {
    for (;;) {
      const entry = await unlessGone(folder, () => opened.read())
      if (entry === null) break
      if (isSkipped(entry)) {
        yield entry
        return
      }
      empty = false
      const child = childOf(folder, entry.name as unknown as Uint8Array)
      if (isFileOrLink(entry)) yield await look(child, disk)
      else pending.push(child)
    }
  } finally {
    await opened.close()
  }
  if (empty) yield { path: folder.path, skipped: 'it is an empty folder' }
}

async function look(source: SourcePath, disk: SourceDisk): Promise<SourceFile | SkippedFile> {
  const found = await unlessGone(source, async () => ({ ...source, stats: await disk.lstat(source.path) }))
  if (!isSkipped(found) && isFileOrLink(found.stats)) checkName(found.name)
  return found
}

function childOf(folder: SourcePath, bytes: Uint8Array): SourcePath {
  const name = textOf(bytes, folder.path)
  return { path: join(folder.path, name), name: folder.name === '' ? name : `${folder.name}/${name}`, below: true }
}

function textOf(name: Uint8Array, folder: string): string {
  try {
    return fromUtf8(name)
  } catch (cause) {
    const shown = Array.from(name, (byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`,
    ).join('')
    throw new VaultError<NameErrorCode>({
      code: 'VAULT_NAME_INVALID',
      message: `In ${folder}, the name "${shown}" is not UTF-8. Rename the file, then put the folder again.`,
      details: { name: shown, path: folder },
      cause,
    })
  }
}

function isFileOrLink(it: { isFile(): boolean; isSymbolicLink(): boolean }): boolean {
  return it.isFile() || it.isSymbolicLink()
}
