import type { Block, BulkCasReader } from '@vault/cas'
import { linksOf } from '@vault/cas'
import type { AbortOptions, ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { IntakeBatch, SoupErrorCode } from '@vault/soup'
import { refusal } from './refusal.ts'

interface Facts {
  readonly size: number
  readonly links: readonly ContentId[]
}

// What a client stores and does not bring under charge soon it has to store again.
const MAX_KNOWN = 262_144
const READ_AT_ONCE = 4_096

/** Those of the ids that belong to the vault already. */
type Own = (ids: readonly ContentId[], options: AbortOptions) => Promise<readonly ContentId[]>

/**
 * What a client says of blocks of a vault is held against their bytes: what comes under charge, or is held, it has stored itself, or the
 * vault has it; and it is as long, and links to what, its bytes say. That other vaults here have it counts for nothing: whoever names an
 * object has to show its bytes.
 */
export class StoredBlocks {
  readonly #objects: BulkCasReader
  readonly #own: Own
  readonly #most: number
  readonly #known = new Map<ContentId, Facts>()

  constructor(objects: BulkCasReader, own: Own, most: number = MAX_KNOWN) {
    this.#objects = objects
    this.#own = own
    this.#most = most
  }

  /** Remembers blocks that the store has just acknowledged, so each hashed. */
  add(blocks: readonly Block[]): void {
    for (const block of blocks) {
      this.#known.delete(block.id)
      this.#known.set(block.id, factsOf(block))
    }
    for (const id of this.#known.keys()) {
      if (this.#known.size <= this.#most) return
      this.#known.delete(id)
    }
  }

  /**
   * Throws `HTTP_REQUEST_INVALID` where a batch says of blocks what their bytes do not, and `SOUP_NOT_STORED` for those that have to be
   * stored, or stored again.
   */
  async check({ objects, hold = [] }: IntakeBatch, options: AbortOptions): Promise<void> {
    const add = objects?.add ?? []
    await this.#readUnknown(
      [...add, ...hold].map(({ id }) => id),
      options,
    )
    for (const { id, size } of [...add, ...hold]) {
      const facts = this.#known.get(id)
      if (facts === undefined)
        throw new VaultError<SoupErrorCode>({
          code: 'SOUP_NOT_STORED',
          message: `The bytes of ${id} did not come from this client, or so long ago that it is not remembered. Run again: they are sent again.`,
          details: { id },
        })
      if (facts.size !== size)
        throw refusal('HTTP_REQUEST_INVALID', `${id} has ${facts.size} bytes, not ${size}.`, { id })
    }
    for (const { id, links } of add) {
      const own = this.#known.get(id)?.links ?? []
      if (links.length === own.length && links.every((link, i) => link === own[i])) continue
      throw refusal('HTTP_REQUEST_INVALID', `${id} does not link to what is said of it.`, { id })
    }
  }

  /** They are under charge now. */
  forget({ objects, hold = [] }: IntakeBatch): void {
    for (const { id } of [...(objects?.add ?? []), ...hold]) this.#known.delete(id)
  }

  async #readUnknown(ids: readonly ContentId[], options: AbortOptions): Promise<void> {
    const others = [...new Set(ids)].filter((id) => !this.#known.has(id))
    const unknown = others.length === 0 ? [] : await this.#own(others, options)
    for (let from = 0; from < unknown.length; from += READ_AT_ONCE) {
      const page = unknown.slice(from, from + READ_AT_ONCE)
      for await (const { blocks } of this.#objects.getMany([page], options)) this.add(blocks)
    }
  }
}

function factsOf(block: Block): Facts {
  return { size: block.bytes.length, links: linksOf(block) }
}
