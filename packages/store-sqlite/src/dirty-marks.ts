import type { Prefix } from '@vault/core'

/** Digits of a bucket: changes are told apart by so many digits of their keys, which tells some millions of them apart, in a megabyte. */
const BUCKET_DIGITS = 5

/** Which parts of a tree have changed: one flag for each of the 1,048,576 prefixes of five digits, and for all shorter ones. */
export class DirtyMarks {
  readonly #levels: readonly Uint8Array[] = Array.from({ length: BUCKET_DIGITS + 1 }, (_, n) => new Uint8Array(16 ** n))
  #size = 0

  /** How many prefixes are marked. */
  get size(): number {
    return this.#size
  }

  /** Marks what lies over a change, by its key. */
  mark(key: Uint8Array): void {
    const bucket = ((key[0] as number) << 12) | ((key[1] as number) << 4) | ((key[2] as number) >> 4)
    for (let digits = 0; digits <= BUCKET_DIGITS; digits++) {
      const level = this.#levels[digits] as Uint8Array
      const at = bucket >> (4 * (BUCKET_DIGITS - digits))
      if (level[at] === 0) this.#size++
      level[at] = 1
    }
  }

  /** Whether something under the prefix may have changed. */
  has(prefix: Prefix): boolean {
    const digits = prefix.slice(0, BUCKET_DIGITS)
    return this.#levels[digits.length]?.[Number.parseInt(digits || '0', 16)] === 1
  }

  /** Whether everything below the prefix is to be taken as changed: it is that of a marked bucket, or longer. */
  hasAllBelow(prefix: Prefix): boolean {
    return prefix.length >= BUCKET_DIGITS && this.has(prefix)
  }

  /** All prefixes that are marked, of at most five digits, shortest first. */
  *prefixes(): Generator<Prefix> {
    for (const [digits, level] of this.#levels.entries()) {
      for (let i = level.indexOf(1); i !== -1; i = level.indexOf(1, i + 1)) {
        yield digits === 0 ? '' : i.toString(16).padStart(digits, '0')
      }
    }
  }
}
