import type { AbortOptions, ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { CasErrorCode } from './cas.ts'
import type { ContentFormat } from './file-blocks.ts'
import type { LinkedBlock } from './links.ts'
import { createNesting } from './nesting.ts'
import type { TreeEntry } from './tree-entry.ts'
import { compareNames, faultOfEntry } from './tree-entry.ts'
import type { TreePart } from './tree-node.ts'
import { treeBlock } from './tree-node.ts'

/** A directory by its id, with the size that it has as an entry of another one. */
export interface StoredTree {
  readonly id: ContentId
  /** Sum over its entries. */
  readonly size: number
}

/** A block of a directory. */
export interface TreeBlock extends LinkedBlock {
  /** Present on the last block of a directory, its root. */
  readonly tree?: StoredTree
}

/**
 * The blocks of one directory, parts before what links to them, the root last (formats/tree.md). Writes nothing, and
 * keeps 1,024 entries for each level, however many there are. Equal entries give equal blocks.
 *
 * The names must ascend as {@link compareNames} orders them; `RangeError` where they do not. Throws `CAS_MALFORMED` for
 * an entry that cannot stand in a directory.
 */
export async function* treeBlocks(
  entries: AsyncIterable<TreeEntry> | Iterable<TreeEntry>,
  { hash }: Pick<ContentFormat, 'hash'>,
  options?: AbortOptions,
): AsyncGenerator<TreeBlock> {
  options?.signal?.throwIfAborted()
  let size = 0
  const nesting = createNesting<TreeEntry | TreePart, TreeBlock>((items, { depth, root }) => {
    const block = treeBlock(
      depth === 0 ? { depth: 0, entries: items as readonly TreeEntry[] } : { depth, parts: items },
      hash,
    )
    const [first] = items
    return {
      block: root ? { ...block, tree: { id: block.id, size } } : block,
      item: { name: first?.name ?? '', id: block.id },
    }
  })
  let previous: string | undefined
  for await (const entry of entries) {
    options?.signal?.throwIfAborted()
    checkEntry(entry)
    if (previous !== undefined && compareNames(previous, entry.name) >= 0) {
      throw new RangeError(`Entries do not ascend: ${JSON.stringify(entry.name)} after ${JSON.stringify(previous)}.`)
    }
    previous = entry.name
    size += entry.size
    yield* nesting.push(entry)
  }
  yield* nesting.end()
}

function checkEntry(entry: TreeEntry): void {
  const fault = faultOfEntry(entry)
  if (fault === undefined) return
  throw new VaultError<CasErrorCode>({
    code: 'CAS_MALFORMED',
    message: `${JSON.stringify(entry.name)} cannot stand in a directory: ${fault}.`,
    details: { name: entry.name },
  })
}
