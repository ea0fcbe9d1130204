import {
  compareNames,
  type LinkedBlock,
  type StoredTree,
  TREE_MODES,
  type TreeEntry,
  type TreeMode,
  treeBlocks,
} from '@vault/cas'
import { type ContentId, type HashName, VaultError } from '@vault/core'
import type { NameErrorCode } from './name.ts'
import type { NamedFile } from './named-files.ts'

/** A folder as a tree, with all its blocks, what one links to before it; the objects of its files are not among them. */
export interface FolderTree {
  readonly root: StoredTree
  readonly blocks: readonly LinkedBlock[]
}

/** A folder whose names are not all there yet. */
interface OpenFolder {
  readonly name: string
  readonly entries: TreeEntry[]
}

/**
 * The tree of files whose names come in order, all below `folder`. In memory are its blocks, some hundred bytes for each
 * name. Throws `VAULT_NAME_INVALID` where a file and a folder have one name, which no tree can hold.
 */
export async function folderTree(
  folder: string,
  files: AsyncIterable<readonly NamedFile[]>,
  hash: HashName,
): Promise<FolderTree> {
  const blocks = new Map<ContentId, LinkedBlock>()
  const open: [OpenFolder, ...OpenFolder[]] = [{ name: '', entries: [] }]

  async function close(): Promise<StoredTree> {
    const { entries } = open.pop() as OpenFolder
    // Names of files come in the order of whole paths, in which "a-b" is before "a/c"; in a tree "a" is before "a-b".
    entries.sort((a, b) => compareNames(a.name, b.name))
    checkDistinct(entries)
    let root: StoredTree | undefined
    for await (const { id, bytes, links, tree } of treeBlocks(entries, { hash })) {
      blocks.set(id, { id, bytes, links })
      root = tree
    }
    return root as StoredTree
  }

  async function closeTo(depth: number): Promise<void> {
    while (open.length > depth) {
      const { name } = open.at(-1) as OpenFolder
      const { id, size } = await close()
      open.at(-1)?.entries.push({ name, mode: TREE_MODES.directory, id, size })
    }
  }

  for await (const page of files) {
    for (const { name, object, size, mode } of page) {
      const path = name.slice(folder === '' ? 0 : folder.length + 1).split('/')
      const last = path.pop() as string
      let shared = 1
      while (shared < open.length && open[shared]?.name === path[shared - 1]) shared++
      await closeTo(shared)
      for (const part of path.slice(shared - 1)) open.push({ name: part, entries: [] })
      open.at(-1)?.entries.push({ name: last, mode: mode as TreeMode, id: object, size })
    }
  }
  await closeTo(1)
  return { root: await close(), blocks: [...blocks.values()] }
}

function checkDistinct(entries: readonly TreeEntry[]): void {
  for (const [i, { name }] of entries.entries()) {
    if (entries[i + 1]?.name !== name) continue
    throw new VaultError<NameErrorCode>({
      code: 'VAULT_NAME_INVALID',
      message: `${JSON.stringify(name)} is a file and a folder at once, which no tree can hold. Remove one of them first.`,
      details: { name },
    })
  }
}
