import type { Block } from '@vault/cas'
import { type Bytes, type ContentId, contentId, encode, link, utf8 } from '@vault/core'
import type { Change } from '@vault/soup'

/** One thing that a change names: in a list as `[kind, name]`, `[kind, name, object]` or `[kind, object]`. */
type Item = readonly unknown[]

// Blocks have at most 1 MiB. A link takes 41 bytes, the words around an item less than 23.
const LIST_BYTES = 960 * 1024
const ITEM_BYTES = 64

/**
 * Blocks that list the names and ids of a change, at most 1 MiB each: what its entry in the audit log counts, for whoever wants
 * to know which (formats/audit-log.md). Under SHA-256 whatever the vault's own hash is, as all that is signed.
 */
export function changeLists(change: Pick<Change, 'refs' | 'entries' | 'objects'>): readonly Block[] {
  const blocks: Block[] = []
  let items: Item[] = []
  let length = 0
  for (const [item, name] of itemsOf(change)) {
    const size = ITEM_BYTES + (name === undefined ? 0 : utf8(name).length)
    if (length + size > LIST_BYTES) {
      blocks.push(listBlock(items))
      items = []
      length = 0
    }
    items.push(item)
    length += size
  }
  if (items.length > 0) blocks.push(listBlock(items))
  return blocks
}

function* itemsOf({
  refs = {},
  entries = {},
  objects = {},
}: Pick<Change, 'refs' | 'entries' | 'objects'>): Generator<readonly [Item, name?: string]> {
  for (const [name, id] of Object.entries(refs)) yield [named('ref', name, id ?? undefined), name]
  for (const { key, object } of entries.put ?? []) yield [named('put', key, object), key]
  for (const key of entries.remove ?? []) yield [['remove', key], key]
  for (const { id } of objects.add ?? []) yield [['add', link(id)]]
  for (const id of objects.release ?? []) yield [['release', link(id)]]
}

function named(kind: string, name: string, id: ContentId | undefined): Item {
  return id === undefined ? [kind, name] : [kind, name, link(id)]
}

function listBlock(items: readonly Item[]): Block {
  const bytes: Bytes = encode({ type: 'change-list', v: 1, items })
  return { id: contentId(bytes, { hash: 'sha2-256', codec: 'dag-cbor' }), bytes }
}
