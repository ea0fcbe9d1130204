import type { LinkedBlock } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { exportCar } from '@vault/transfer'
import { folderTree } from './folder-tree.ts'
import { nameFromPath } from './name.ts'
import { resolveName } from './resolve-name.ts'
import type { Vault } from './vault.ts'

/** A root of a CAR and what it was asked for as. */
export interface CarRoot {
  readonly word: string
  readonly id: ContentId
  /** A folder is a tree, made for the CAR: the vault itself knows only the names of files. */
  readonly type: 'file' | 'folder'
}

/** A CAR that is about to be written. */
export interface CarExport {
  readonly roots: readonly CarRoot[]
  /** The bytes of the CAR. Whoever leaves the loop has the beginning of one. */
  readonly chunks: AsyncGenerator<Bytes>
}

/**
 * A CAR of what the words name: a root for each, in their order. A file is its object, without its name; a folder is the tree
 * of all names under it. Throws `VAULT_NAME_UNKNOWN`, `VAULT_NAME_INVALID`; the chunks throw what `exportCar` of
 * `@vault/transfer` throws.
 */
export async function exportNames(vault: Vault, words: readonly string[], options: AbortOptions): Promise<CarExport> {
  const roots: CarRoot[] = []
  const added = new Map<ContentId, LinkedBlock>()
  for (const word of words) {
    // The whole vault, which may be empty.
    const found =
      nameFromPath(word) === '' ? ({ type: 'folder', name: '' } as const) : await resolveName(vault, word, options)
    if (found.type === 'file') {
      roots.push({ word, id: found.file.object, type: 'file' })
      continue
    }
    const { root, blocks } = await folderTree(
      found.name,
      vault.files(found.name, options),
      vault.inception.content.hash,
    )
    for (const block of blocks) added.set(block.id, block)
    roots.push({ word, id: root.id, type: 'folder' })
  }
  const source = { objects: vault.objects, soup: vault.soup }
  const ids = roots.map(({ id }) => id)
  return { roots, chunks: exportCar(source, ids, { ...options, added: [...added.values()] }) }
}
