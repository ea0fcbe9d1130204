import type { AbortOptions, ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { CasErrorCode, CasReader } from './cas.ts'
import { malformed, readNode } from './node.ts'
import type { TreeEntry } from './tree-entry.ts'
import { TREE_MODES } from './tree-entry.ts'
import type { TreePlace } from './tree-node.ts'
import { parseTreeNode, treePlaceBelow } from './tree-node.ts'

/** An entry met on a walk. */
export interface WalkedEntry extends TreeEntry {
  /** Names from the root of the walk down, joined by `/`. */
  readonly path: string
}

/** The bounds of a walk, without which a few hostile blocks that link to each other twice would be walked for ever. */
export interface WalkLimits {
  /** Directories within directories; 256 unless said. */
  readonly depth?: number
  /** Entries in all; 10,000,000 unless said. */
  readonly entries?: number
}

const MAX_WALK_DEPTH = 256
const MAX_WALK_ENTRIES = 10_000_000

/**
 * The entries of one directory, names ascending. Holds one node for each level of it. Every node is hostile until
 * checked: form, order and shape. Throws `CAS_MISSING`, `CAS_CORRUPT`, `CAS_MALFORMED`, `CAS_FORMAT`.
 */
export async function* readTree(
  reader: Pick<CasReader, 'get'>,
  id: ContentId,
  options?: AbortOptions,
): AsyncGenerator<TreeEntry> {
  options?.signal?.throwIfAborted()
  yield* entriesOf(reader, { id, root: id }, undefined, options)
}

/**
 * All entries of a directory and of those below it, each directory before its content, names ascending. Holds one open
 * directory for each level. Throws what {@link readTree} throws, `CAS_MALFORMED` too where a directory's size is not the
 * sum of its entries, and `CAS_TOO_LARGE` beyond the limits.
 */
export async function* walkTree(
  reader: Pick<CasReader, 'get'>,
  id: ContentId,
  options: AbortOptions & { readonly limits?: WalkLimits } = {},
): AsyncGenerator<WalkedEntry> {
  options.signal?.throwIfAborted()
  const { depth = MAX_WALK_DEPTH, entries = MAX_WALK_ENTRIES } = options.limits ?? {}
  let count = 0
  for await (const entry of walk(reader, { id, path: '', depth }, options)) {
    if (++count > entries) throw tooLarge(id, `has more than ${entries} entries`)
    yield entry
  }
}

interface Directory {
  readonly id: ContentId
  /** Empty, or ends with `/`. */
  readonly path: string
  /** Levels that may follow. */
  readonly depth: number
  /** What the entry says that names it. */
  readonly size?: number
}

async function* walk(
  reader: Pick<CasReader, 'get'>,
  { id, path, depth, size }: Directory,
  options: AbortOptions,
): AsyncGenerator<WalkedEntry> {
  let total = 0
  for await (const entry of readTree(reader, id, options)) {
    total += entry.size
    const walked = { ...entry, path: path + entry.name }
    yield walked
    if (entry.mode !== TREE_MODES.directory) continue
    if (depth === 0) throw tooLarge(id, 'holds directories nested deeper than the limit')
    yield* walk(reader, { id: entry.id, path: `${walked.path}/`, depth: depth - 1, size: entry.size }, options)
  }
  if (size !== undefined && total !== size)
    throw malformed(id, `its entries are ${total} bytes, and the entry that names it says ${size}`)
}

async function* entriesOf(
  reader: Pick<CasReader, 'get'>,
  at: { readonly id: ContentId; readonly root: ContentId },
  place: TreePlace | undefined,
  options: AbortOptions | undefined,
): AsyncGenerator<TreeEntry> {
  const node = parseTreeNode(at.id, await readNode(reader, at, options), place)
  if ('entries' in node) {
    yield* node.entries
    return
  }
  for (const [index, part] of node.parts.entries()) {
    options?.signal?.throwIfAborted()
    yield* entriesOf(reader, { id: part.id, root: at.root }, treePlaceBelow(node, place, index), options)
  }
}

function tooLarge(id: ContentId, what: string): VaultError<CasErrorCode> {
  return new VaultError({
    code: 'CAS_TOO_LARGE',
    message: `The directory ${id} ${what}. Walk it with higher limits if you trust where it comes from.`,
    details: { id },
  })
}
