import { randomBytes } from 'node:crypto'
import { type FileHandle, link, lstat, mkdir, open, rename, symlink, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type BulkCasReader, type CasReader, readFile } from '@vault/cas'
import { type AbortOptions, type ContentId, toHex, VaultError } from '@vault/core'
import type { Entry } from '@vault/soup'
import { createFolder, flushFolder } from './durable-file.ts'
import { checkName } from './name.ts'
import { ordered } from './ordered.ts'
import { systemError } from './system-error.ts'

/** The `code` of the errors about files that are to be written to disk. */
export type ExtractErrorCode =
  /** Something is there already, and was not to be replaced. `details.path`. */
  | 'FILE_EXISTS'
  /** A name would lead out of the folder, through a symbolic link, or through another file of the vault. `details.path`. */
  | 'FILE_UNSAFE'
  /** The system refuses to write it: a full disk, a name too long for it, no permission. `details.path`, `details.errno`. */
  | 'FILE_UNWRITABLE'

/** A file of the vault and where it goes, relative to the output folder. */
export interface Extraction {
  readonly entry: Entry
  readonly path: string
}

const SYMLINK_MODE = 0o120000
const EXECUTABLE_MODE = 0o100755
/** Linux' own limit; a longer one is no link that any system made. */
const MAX_LINK_LENGTH = 4096

const FILES_UNDER_WAY = 16

/**
 * Writes one file whole or not at all: to another name beside it, flushed, then moved into place; durable when it
 * resolves. Throws `FILE_EXISTS` where something is there and `replace` is not set, `FILE_UNWRITABLE`.
 */
export async function extractFile(
  reader: CasReader & BulkCasReader,
  id: ContentId,
  target: { readonly path: string; readonly executable?: boolean; readonly replace?: boolean },
  options: AbortOptions = {},
): Promise<number> {
  return await writePieces(readFile(reader, id, options), target)
}

/**
 * Writes pieces to a file whole or not at all, as {@link extractFile} does, and gives their length. Throws what the pieces
 * throw besides.
 */
export async function writePieces(
  pieces: AsyncIterable<Uint8Array>,
  target: { readonly path: string; readonly executable?: boolean; readonly replace?: boolean },
): Promise<number> {
  const size = await writeFile(pieces, target)
  await flushFolder(dirname(target.path))
  return size
}

/**
 * Writes files under a folder. Nothing is written outside it, and nothing through a symbolic link: folders on the way
 * are made or must be real, and links are made after all files. Yields the running totals; all is durable at the end.
 * `files` is asked for the list twice, so that it need not be kept.
 */
export async function* extractFiles(
  reader: CasReader & BulkCasReader,
  files: () => AsyncIterable<Extraction>,
  target: { readonly dir: string; readonly replace?: boolean },
  options: AbortOptions = {},
): AsyncGenerator<{ readonly files: number; readonly bytes: number }> {
  const { dir, replace = false } = target
  const total = { files: 0, bytes: 0 }
  const folders = new Set<string>(['.'])
  const writeOne = async (file: Extraction): Promise<number> => {
    const path = join(dir, file.path)
    const id = file.entry.object as ContentId
    if (isLink(file)) return await writeLink(reader, id, { path, replace })
    const executable = file.entry.fields.mode === EXECUTABLE_MODE
    return await writeFile(readFile(reader, id, options), { path, executable, replace })
  }
  await createFolder(dir).catch((cause: unknown) => {
    throw systemError<ExtractErrorCode>('FILE_UNWRITABLE', dir, cause)
  })
  for (const links of [false, true]) {
    const wanted = placed(files(), { dir, links, folders }, options)
    for await (const size of ordered(wanted, FILES_UNDER_WAY, writeOne)) {
      total.files++
      total.bytes += size
      yield { ...total }
    }
  }
  for (const folder of folders) await flushFolder(join(dir, folder))
}

/** The files, or the links, each when its folder is there. */
async function* placed(
  files: AsyncIterable<Extraction>,
  wanted: { readonly dir: string; readonly links: boolean; readonly folders: Set<string> },
  options: AbortOptions,
): AsyncGenerator<Extraction> {
  // Names come in order, so those between `a` and `a/b` all begin with `a`: only such are kept.
  const prefixes: string[] = []
  for await (const file of files) {
    options.signal?.throwIfAborted()
    while (prefixes.length > 0 && !file.path.startsWith(prefixes.at(-1) as string)) prefixes.pop()
    const above = prefixes.find((path) => file.path.startsWith(`${path}/`))
    if (above !== undefined) throw conflict(wanted.dir, above, file.path)
    prefixes.push(file.path)
    if (isLink(file) !== wanted.links) continue
    checkName(file.path)
    await makeFolders(wanted.dir, dirname(file.path), wanted.folders)
    yield file
  }
}

async function writeFile(
  pieces: AsyncIterable<Uint8Array>,
  target: { readonly path: string; readonly executable?: boolean; readonly replace?: boolean },
): Promise<number> {
  const { path, executable = false, replace = false } = target
  await refuseExisting(path, replace)
  // Short and random: a name may be as long as the system allows, and another process have the same number.
  const temporary = join(dirname(path), `.vault-${toHex(randomBytes(8))}`)
  let size = 0
  try {
    const handle = await open(temporary, 'wx', executable ? 0o755 : 0o644)
    try {
      for await (const piece of pieces) {
        await writeAll(handle, piece)
        size += piece.length
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (replace) await rename(temporary, path)
    else await moveExclusively(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw systemError<ExtractErrorCode>('FILE_UNWRITABLE', path, error)
  }
  return size
}

async function writeLink(
  reader: CasReader,
  id: ContentId,
  target: { readonly path: string; readonly replace: boolean },
): Promise<number> {
  const { path, replace } = target
  const bytes = await reader.get(id)
  if (bytes === undefined) {
    throw new VaultError({ code: 'CAS_MISSING', message: `The object ${id} of ${path} is missing.`, details: { id } })
  }
  if (bytes.length === 0 || bytes.length > MAX_LINK_LENGTH || bytes.includes(0))
    throw unsafe(path, 'its link is no path')
  await refuseExisting(path, replace)
  try {
    if (replace) await unlink(path).catch(() => undefined)
    await symlink(Buffer.from(bytes), path)
  } catch (error) {
    throw systemError<ExtractErrorCode>('FILE_UNWRITABLE', path, error)
  }
  return bytes.length
}

/** Makes the folders of a checked relative path one by one; an existing one must be a folder itself, not a link to one. */
async function makeFolders(root: string, path: string, known: Set<string>): Promise<void> {
  if (known.has(path)) return
  await makeFolders(root, dirname(path), known)
  const folder = join(root, path)
  await mkdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw systemError<ExtractErrorCode>('FILE_UNWRITABLE', folder, error)
  })
  if (!(await lstat(folder)).isDirectory()) throw unsafe(folder, 'it is not a folder, or a link to one')
  known.add(path)
}

async function refuseExisting(path: string, replace: boolean): Promise<void> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw systemError<ExtractErrorCode>('FILE_UNWRITABLE', path, error)
  })
  if (stats === undefined) return
  if (stats.isDirectory()) throw exists(path, 'a folder')
  if (!replace) throw exists(path, 'a file')
}

/** Moves without replacing what appeared meanwhile: a hard link is made or refused in one step. */
async function moveExclusively(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(to, 'a file')
    if (!NO_HARD_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    // A file system without hard links, as on many memory sticks.
    await rename(from, to)
    return
  }
  await unlink(from)
}

const NO_HARD_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    offset += (await handle.write(bytes, offset, bytes.length - offset)).bytesWritten
  }
}

function isLink({ entry }: Extraction): boolean {
  return entry.fields.mode === SYMLINK_MODE
}

function exists(path: string, what: string): VaultError<ExtractErrorCode> {
  return new VaultError({ code: 'FILE_EXISTS', message: `${path} is there already: ${what}.`, details: { path } })
}

function conflict(dir: string, file: string, under: string): VaultError<ExtractErrorCode> {
  return new VaultError({
    code: 'FILE_UNSAFE',
    message: `${under} is not written to ${dir}: the vault holds a file ${file} too, and that cannot be a folder at once. Get one of them by its name.`,
    details: { path: join(dir, under), names: [file, under] },
  })
}

function unsafe(path: string, why: string): VaultError<ExtractErrorCode> {
  return new VaultError({ code: 'FILE_UNSAFE', message: `${path} is not written: ${why}.`, details: { path } })
}
