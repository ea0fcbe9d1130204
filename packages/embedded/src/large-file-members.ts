import type { BulkCasReader, LinkedBlock } from '@vault/cas'
import { linksOf } from '@vault/cas'
import { type AbortOptions, type ContentId, codecOf, ID_LENGTH, idBytes, idFromBytes, VaultError } from '@vault/core'
import type { Member } from '@vault/soup'

/** Members that come under charge together, and those of them that must be there already. */
export interface MemberGroup {
  readonly members: readonly Member[]
  readonly present: readonly ContentId[]
  /** Whether the root is among them. */
  readonly last: boolean
}

const GROUP = 65_536
/** id, length of the bytes, whether they were there already */
const ROW = ID_LENGTH + 5
/** Equal blocks follow one another where a file has holes. */
const RECENT = 16_384

/**
 * The blocks of a file that is too large to be kept, until its root is there: 41 bytes for each. What a manifest links
 * to is read from the store, where it is by then.
 */
export class LargeFileMembers {
  #rows = new Uint8Array(1024 * ROW)
  #length = 0
  readonly #recent = new Set<ContentId>()
  readonly #segments = new Set<string>()

  get count(): number {
    return this.#length / ROW
  }

  get segments(): readonly string[] {
    return [...this.#segments]
  }

  /** Those of the blocks that were not stored for this file a short while ago. */
  notRecent(blocks: readonly LinkedBlock[]): readonly LinkedBlock[] {
    const fresh = blocks.filter(({ id }) => !this.#recent.has(id))
    for (const { id } of fresh) this.#recent.add(id)
    for (const id of this.#recent) {
      if (this.#recent.size <= RECENT) break
      this.#recent.delete(id)
    }
    return fresh
  }

  /** Keeps blocks that are durable, in this segment unless they are known. */
  add(blocks: readonly LinkedBlock[], known: ReadonlySet<ContentId>, segment: string): void {
    if (segment !== '') this.#segments.add(segment)
    for (const { id, bytes } of blocks) {
      if (this.#length === this.#rows.length) {
        const larger = new Uint8Array(2 * this.#rows.length)
        larger.set(this.#rows)
        this.#rows = larger
      }
      this.#rows.set(idBytes(id), this.#length)
      const view = new DataView(this.#rows.buffer, this.#length + ID_LENGTH)
      view.setUint32(0, bytes.length)
      view.setUint8(4, known.has(id) ? 1 : 0)
      this.#length += ROW
    }
  }

  /** All of them, parts before what links to them. Throws `CAS_MISSING` where a manifest cannot be read back. */
  async *groups(objects: BulkCasReader, options: AbortOptions): AsyncGenerator<MemberGroup> {
    for (let from = 0; from < this.#length; from += GROUP * ROW) {
      const sizes = new Map<ContentId, number>()
      const present = new Set<ContentId>()
      for (let at = from; at < Math.min(this.#length, from + GROUP * ROW); at += ROW) {
        const id = idFromBytes(this.#rows.subarray(at, at + ID_LENGTH))
        const view = new DataView(this.#rows.buffer, at + ID_LENGTH)
        sizes.set(id, view.getUint32(0))
        if (view.getUint8(4) === 1) present.add(id)
      }
      const links = await readLinks(
        objects,
        [...sizes.keys()].filter((id) => codecOf(id) !== 'raw'),
        options,
      )
      const members = Array.from(sizes, ([id, size]) => ({ id, size, links: links.get(id) ?? [] }))
      yield { members, present: [...present], last: from + GROUP * ROW >= this.#length }
    }
  }
}

async function readLinks(
  objects: BulkCasReader,
  ids: readonly ContentId[],
  options: AbortOptions,
): Promise<ReadonlyMap<ContentId, readonly ContentId[]>> {
  const links = new Map<ContentId, readonly ContentId[]>()
  for await (const { blocks, absent, damaged } of objects.getMany([ids], options)) {
    for (const block of blocks) links.set(block.id, linksOf(block))
    const [lost] = [...absent, ...damaged]
    if (lost === undefined) continue
    throw new VaultError({
      code: 'CAS_MISSING',
      message: `The manifest ${lost} was stored and cannot be read back.`,
      details: { id: lost },
    })
  }
  return links
}
