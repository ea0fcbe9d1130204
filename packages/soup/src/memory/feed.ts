import type { FeedItem, FeedRange } from '../soup.ts'
import { soupError } from '../soup-error.ts'

/** A page ends with the first change that brings it to this many items. */
const PAGE = 1000

/** The latest changes of a vault: whole changes, at least the last `retention` items of them. */
export class MemoryFeed {
  readonly #retention: number
  #changes: (readonly FeedItem[])[] = []
  /** Changes before this index have expired; they are cut off when they are half of the list, so that expiry is cheap. */
  #first = 0
  #items = 0
  #oldest = 0
  #latest = 0

  constructor(retention: number) {
    this.#retention = retention
  }

  get range(): FeedRange {
    return { oldest: this.#oldest, latest: this.#latest }
  }

  /** Forgets everything and goes on after this number. */
  restart(sequence: number): void {
    this.#changes = []
    this.#first = 0
    this.#items = 0
    this.#oldest = sequence
    this.#latest = sequence
  }

  append(items: readonly FeedItem[]): void {
    this.#changes.push(items)
    this.#items += items.length
    this.#latest = sequenceOf(items)
    for (let oldest = this.#at(0); this.#items - oldest.length >= this.#retention; oldest = this.#at(0)) {
      this.#items -= oldest.length
      this.#oldest = sequenceOf(oldest)
      this.#first++
    }
    if (this.#first * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#first)
      this.#first = 0
    }
  }

  /** Refuses a cursor that the feed does not reach: `SOUP_FEED_EXPIRED`, and `SOUP_INVALID` for what is no cursor. */
  requireReach(after: number): void {
    if (!Number.isSafeInteger(after) || after < 0) throw soupError('SOUP_INVALID', `${after} is no sequence number.`)
    if (after >= this.#oldest && after <= this.#latest) return
    throw soupError(
      'SOUP_FEED_EXPIRED',
      `The feed reaches from ${this.#oldest} to ${this.#latest} and cannot go on from ${after}. Compare the whole vault instead.`,
      { after, ...this.range },
    )
  }

  /** The next items after a sequence number, whole changes; empty at the end. */
  page(after: number): readonly FeedItem[] {
    this.requireReach(after)
    const page: FeedItem[] = []
    for (let i = this.#indexAfter(after); i < this.#changes.length && page.length < PAGE; i++) {
      for (const item of this.#changes[i] ?? []) page.push({ ...item })
    }
    return page
  }

  #at(index: number): readonly FeedItem[] {
    return this.#changes[this.#first + index] as readonly FeedItem[]
  }

  #indexAfter(after: number): number {
    let low = this.#first
    let high = this.#changes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sequenceOf(this.#changes[middle] as readonly FeedItem[]) <= after) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** All items of a change have its number, and no change is empty. */
function sequenceOf(items: readonly FeedItem[]): number {
  return (items[0] as FeedItem).sequence
}
