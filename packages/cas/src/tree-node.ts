import type { ContentId, HashName } from '@vault/core'
import { codecOf, contentId, encode, isLink, link } from '@vault/core'
import type { LinkedBlock } from './links.ts'
import type { Place } from './nesting.ts'
import { checkShape, placeBelow } from './nesting.ts'
import { fieldsOf, malformed } from './node.ts'
import type { TreeEntry } from './tree-entry.ts'
import { compareNames, faultOfEntry, faultOfName } from './tree-entry.ts'

// The form is formats/tree.md.

/** A stretch of a large directory: the node that lists it, and the name it begins with. */
export interface TreePart {
  readonly name: string
  readonly id: ContentId
}

/** A directory, or a stretch of a large one. Names ascend. */
export type TreeNode =
  | { readonly depth: 0; readonly entries: readonly TreeEntry[] }
  | { readonly depth: number; readonly parts: readonly TreePart[] }

/** What the node above says of a node: it begins with `first`, and all its names are less than `before`. */
export interface TreePlace extends Place {
  readonly first: string
  readonly before: string | undefined
}

/** The place of part number `index` of a node; `place` is that of the node, none for the root. */
export function treePlaceBelow(
  { depth, parts }: Extract<TreeNode, { readonly parts: unknown }>,
  place: TreePlace | undefined,
  index: number,
): TreePlace {
  const part = parts[index] as TreePart
  return {
    ...placeBelow({ depth, place }, { index, count: parts.length }),
    first: part.name,
    before: parts[index + 1]?.name ?? place?.before,
  }
}

/** The block of a node, named with this hash. */
export function treeBlock(node: TreeNode, hash: HashName): LinkedBlock {
  const items = 'entries' in node ? node.entries : node.parts
  const cells =
    'entries' in node
      ? { entries: node.entries.map(({ name, mode, id, size }) => [name, mode, link(id), size]) }
      : { parts: node.parts.map(({ name, id }) => [name, link(id)]) }
  const bytes = encode({ v: 1, type: 'tree', depth: node.depth, ...cells })
  const links = [...new Set(items.map(({ id }) => id))]
  return { id: contentId(bytes, { hash, codec: 'dag-cbor' }), bytes, links }
}

/**
 * A decoded block as a node: the one that the node above describes, or a whole directory where there is none above.
 * Throws `CAS_MALFORMED`, `CAS_FORMAT`.
 */
export function parseTreeNode(id: ContentId, value: unknown, place?: TreePlace): TreeNode {
  const isLeaf = typeof value === 'object' && value !== null && (value as { depth?: unknown }).depth === 0
  const list = isLeaf ? 'entries' : 'parts'
  const fields = fieldsOf(id, value, { type: 'tree', names: ['depth', list] })
  const items = fields[list]
  if (!Array.isArray(items)) throw malformed(id, `its ${list} are no list`)
  const depth = checkShape(id, { depth: fields.depth, count: items.length }, place)
  if (isLeaf) {
    const entries = items.map((item: unknown) => parseEntry(id, item))
    checkNames(id, entries, place)
    return { depth: 0, entries }
  }
  const parts = items.map((item: unknown) => parsePart(id, item))
  checkNames(id, parts, place)
  return { depth, parts }
}

function parseEntry(id: ContentId, item: unknown): TreeEntry {
  const [name, mode, to, size] = cells(item, 4)
  if (typeof name !== 'string' || !isLink(to))
    throw malformed(id, 'an entry of it is not a name, a mode, a link and a size')
  const entry = { name, mode, id: to.id, size } as TreeEntry
  const fault = faultOfEntry(entry)
  if (fault !== undefined) throw malformed(id, `its entry ${JSON.stringify(name)} is refused: ${fault}`)
  return entry
}

function parsePart(id: ContentId, item: unknown): TreePart {
  const [name, to] = cells(item, 2)
  if (typeof name !== 'string' || !isLink(to) || codecOf(to.id) !== 'dag-cbor' || faultOfName(name) !== undefined) {
    throw malformed(id, 'a part of it is not a name and a link to a node')
  }
  return { name, id: to.id }
}

function cells(item: unknown, count: number): readonly unknown[] {
  return Array.isArray(item) && item.length === count ? item : []
}

function checkNames(id: ContentId, items: readonly { readonly name: string }[], place: TreePlace | undefined): void {
  const names = items.map(({ name }) => name)
  if (place !== undefined && names[0] !== place.first)
    throw malformed(id, 'it does not begin with the name that the node above says')
  const bounded = place?.before === undefined ? names : [...names, place.before]
  for (const [index, name] of bounded.entries()) {
    const previous = bounded[index - 1]
    if (previous !== undefined && compareNames(previous, name) >= 0) {
      throw malformed(id, `its names do not ascend at ${JSON.stringify(name)}`)
    }
  }
}
