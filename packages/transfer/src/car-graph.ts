import type { LinkedBlock } from '@vault/cas'
import type { ContentId } from '@vault/core'
import type { Member } from '@vault/soup'
import { incompleteCar, tooLargeCar } from './car-error.ts'

/** What of a CAR is kept in memory until its end: some 150 bytes for each block, and 8 to 90 for each link. */
export interface CarLimits {
  /** Distinct blocks. Default 4,194,304. */
  readonly blocks?: number
  /** Links of all blocks together. Default 8,388,608. */
  readonly links?: number
}

const MAX_BLOCKS = 4_194_304
const MAX_LINKS = 8_388_608

/** The blocks that have come, without their bytes. */
export class CarGraph {
  readonly #members = new Map<ContentId, Member>()
  readonly #limits: Required<CarLimits>
  #links = 0

  constructor({ blocks = MAX_BLOCKS, links = MAX_LINKS }: CarLimits = {}) {
    this.#limits = { blocks, links }
  }

  get size(): number {
    return this.#members.size
  }

  /** Length of the bytes of a block that has come. */
  sizeOf(id: ContentId): number | undefined {
    return this.#members.get(id)?.size
  }

  /** Takes a block; gives whether it is new. Throws `TRANSFER_CAR_TOO_LARGE`. */
  add({ id, bytes, links }: LinkedBlock): boolean {
    if (this.#members.has(id)) return false
    if (this.#members.size === this.#limits.blocks) throw tooLargeCar('it has more blocks', this.#limits.blocks)
    this.#links += links.length
    if (this.#links > this.#limits.links) throw tooLargeCar('its blocks have more links', this.#limits.links)
    // One text for each id, where the block came before what links to it.
    const kept = links.map((link) => this.#members.get(link)?.id ?? link)
    this.#members.set(id, { id, size: bytes.length, links: kept })
    return true
  }

  /** All that the roots lead to, each once, what a block links to before it. Throws `TRANSFER_CAR_INCOMPLETE`. */
  reachable(roots: readonly ContentId[]): readonly Member[] {
    const seen = new Set<ContentId>()
    const missing = new Set<ContentId>()
    const order: Member[] = []
    const found = (id: ContentId): Member | undefined => {
      if (seen.has(id)) return undefined
      seen.add(id)
      const member = this.#members.get(id)
      if (member === undefined) missing.add(id)
      return member
    }
    // A stack of our own, because chains of links may be deeper than calls can be.
    const stack: { readonly member: Member; next: number }[] = []
    for (const root of roots) {
      const first = found(root)
      if (first !== undefined) stack.push({ member: first, next: 0 })
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const link = top.member.links[top.next++]
        if (link === undefined) {
          order.push(top.member)
          stack.pop()
          continue
        }
        const below = found(link)
        if (below !== undefined) stack.push({ member: below, next: 0 })
      }
    }
    const [lost] = missing
    if (lost === undefined) return order
    throw incompleteCar(
      `The CAR is incomplete: ${missing.size} blocks that its roots lead to are not in it, the first is ${lost}. Nothing of it came under charge; get it whole.`,
      lost,
      missing.size,
    )
  }
}
