import type { CasErrorCode, CasReader } from '@vault/cas'
import { fileInfo, TREE_MODES, walkTree } from '@vault/cas'
import { type AbortOptions, type ContentId, codecOf, decode, isVaultError, VaultError } from '@vault/core'
import type { Entry } from '@vault/soup'
import type { ImportedCar } from '@vault/transfer'
import { checkName } from './name.ts'
import { pathEntry } from './path-entry.ts'

/** A root of a CAR that was read, and the name that it, or what is in it, is to get. */
export interface NamedRoot {
  readonly id: ContentId
  /** An object is what is neither a file nor a tree: it comes under charge, and gets no name. */
  readonly type: 'file' | 'folder' | 'object'
  /** Of the file, or of the folder; empty for the top of the vault, and for an object. */
  readonly name: string
}

interface Parts {
  readonly objects: Pick<CasReader, 'get'>
  readonly car: ImportedCar
}

/** More names than this are not given to what a stranger's few blocks may link to again and again. */
const MAX_NAMES = 1_000_000
const PAGE = 4_096
const REFUSED: ReadonlySet<string> = new Set<CasErrorCode>(['CAS_MALFORMED', 'CAS_FORMAT', 'CAS_TOO_LARGE'])

/**
 * What the roots of a CAR are to be named: one root takes the name, or its id for a file without one; of several each is
 * named by its id, below the name. Throws `VAULT_NAME_INVALID`.
 */
export async function namedRoots(
  { objects, car }: Parts,
  name: string | undefined,
  options: AbortOptions,
): Promise<readonly NamedRoot[]> {
  if (name) checkName(name)
  const roots: NamedRoot[] = []
  for (const id of car.roots) {
    const type = await typeOf(objects, id, options)
    const own = name ? `${name}/${id}` : id
    const given = car.roots.length > 1 ? own : name || (type === 'file' ? id : '')
    roots.push({ id, type, name: type === 'object' ? '' : given })
  }
  return roots
}

/**
 * The entries that name what is in a root, in pages. A tree is hostile until it was walked: names, sizes and modes of all
 * of it. Throws `VAULT_NAME_INVALID`, and `TRANSFER_CAR_INVALID` for a tree or file that contradicts itself.
 */
export async function* entriesOf(
  parts: Parts,
  root: NamedRoot,
  options: AbortOptions,
): AsyncGenerator<readonly Entry[]> {
  if (root.type === 'object') return
  try {
    let page: Entry[] = []
    for await (const entry of root.type === 'file'
      ? fileEntry(parts, root, options)
      : treeEntries(parts, root, options)) {
      page.push(entry)
      if (page.length < PAGE) continue
      yield page
      page = []
    }
    if (page.length > 0) yield page
  } catch (error) {
    if (!isVaultError(error) || !REFUSED.has(error.code)) throw error
    throw new VaultError({
      code: 'TRANSFER_CAR_INVALID',
      message: `The CAR is refused: ${error.message}`,
      details: { id: root.id },
      cause: error,
    })
  }
}

async function typeOf(objects: Parts['objects'], id: ContentId, options: AbortOptions): Promise<NamedRoot['type']> {
  if (codecOf(id) === 'raw') return 'file'
  const bytes = await objects.get(id, options)
  const value = (bytes && decode(bytes)) as { readonly type?: unknown; readonly blake3?: unknown } | null | undefined
  if (value?.type === 'tree') return 'folder'
  // A manifest without hashes is a part of a larger file, and no file of its own.
  return value?.type === 'file' && value.blake3 !== undefined ? 'file' : 'object'
}

async function* fileEntry({ objects }: Parts, { id, name }: NamedRoot, options: AbortOptions): AsyncGenerator<Entry> {
  const { size } = await fileInfo(objects, id, options)
  yield pathEntry(name, { id, size, mode: TREE_MODES.file })
}

async function* treeEntries({ objects, car }: Parts, root: NamedRoot, options: AbortOptions): AsyncGenerator<Entry> {
  const limits = { entries: MAX_NAMES }
  for await (const { path, mode, id, size } of walkTree(objects, root.id, { ...options, limits })) {
    if (mode === TREE_MODES.directory) continue
    const name = root.name === '' ? path : `${root.name}/${path}`
    checkName(name)
    const actual = codecOf(id) === 'raw' ? car.sizeOf(id) : (await fileInfo(objects, id, options)).size
    if (actual === size) yield pathEntry(name, { id, size, mode })
    else throw contradiction(root.id, `it says that ${JSON.stringify(path)} is ${size} bytes long, and it is ${actual}`)
  }
}

function contradiction(id: ContentId, why: string): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_MALFORMED',
    message: `The tree ${id} contradicts itself: ${why}.`,
    details: { id },
  })
}
