import type { Bytes } from '@vault/core'
import { fromUtf8, hashBytes, ID_LENGTH, idFromBytes, utf8 } from '@vault/core'
import type { FeedItem } from '@vault/soup'

type ItemType = FeedItem['type']

/** One item as it is packed: `type` in one byte, the first two bytes of its table key, then the subject. */
export interface PackedItem {
  readonly type: ItemType
  /** An id's 36 bytes, or a key's UTF-8. */
  readonly subject: Uint8Array
}

/** Position = code in the packed form. */
const TYPES: readonly ItemType[] = ['object-added', 'object-removed', 'entry-put', 'entry-removed']
const FIRST_ENTRY_TYPE = 2
const HEAD_LENGTH = 3
/** A key is preceded by its length in two bytes; an id has always the same. */
const SIZE_LENGTH = 2

/** The items of one change as they are gathered. */
export class ItemPacker {
  readonly #parts: Uint8Array[] = []

  get count(): number {
    return this.#parts.length
  }

  object(type: 'object-added' | 'object-removed', key: Uint8Array, id: Uint8Array): void {
    const item = new Uint8Array(HEAD_LENGTH + ID_LENGTH)
    item[0] = TYPES.indexOf(type)
    item.set(key.subarray(0, 2), 1)
    item.set(id, HEAD_LENGTH)
    this.#parts.push(item)
  }

  entry(type: 'entry-put' | 'entry-removed', key: Uint8Array, name: string): void {
    const subject = utf8(name)
    const item = new Uint8Array(HEAD_LENGTH + SIZE_LENGTH + subject.length)
    item[0] = TYPES.indexOf(type)
    item.set(key.subarray(0, 2), 1)
    item[HEAD_LENGTH] = subject.length >> 8
    item[HEAD_LENGTH + 1] = subject.length & 255
    item.set(subject, HEAD_LENGTH + SIZE_LENGTH)
    this.#parts.push(item)
  }

  /** All items, one after the other. */
  packed(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

/** The items in packed bytes. Throws a `RangeError` where the bytes are none. */
export function* unpackItems(packed: Uint8Array): Generator<PackedItem> {
  for (let offset = 0; offset < packed.length; ) {
    const code = packed[offset] as number
    const type = TYPES[code]
    let start = offset + HEAD_LENGTH
    let length = ID_LENGTH
    if (code >= FIRST_ENTRY_TYPE) {
      length = ((packed[start] ?? 0) << 8) | (packed[start + 1] ?? 0)
      start += SIZE_LENGTH
    }
    if (type === undefined || start + length > packed.length) throw new RangeError(`No item of a feed at ${offset}`)
    yield { type, subject: packed.subarray(start, start + length) }
    offset = start + length
  }
}

/** Whether an item is about the table of entries, not of objects. */
export function isEntryItem({ type }: PackedItem): boolean {
  return TYPES.indexOf(type) >= FIRST_ENTRY_TYPE
}

/** The key of what an item is about: in both tables it is made of the bytes that the subject has here. */
export function itemKey({ subject }: PackedItem): Bytes {
  return hashBytes('sha2-256', subject)
}

/** An item in the form in which it is handed out. */
export function feedItem(item: PackedItem, sequence: number): FeedItem {
  const { type, subject } = item
  return { sequence, type, subject: isEntryItem(item) ? fromUtf8(subject) : idFromBytes(subject) }
}
