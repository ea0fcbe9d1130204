import { copyBytes, fromUtf8 } from './bytes.ts'
import type { CborErrorCode, CborLimits } from './cbor-limits.ts'
import { tooDeep, tooLarge, tooMany, withDefaults } from './cbor-limits.ts'
import { ID_LENGTH, idFromBytes } from './content-id.ts'
import { VaultError } from './error.ts'
import type { Link } from './link.ts'
import { link } from './link.ts'

/**
 * The value of strict DAG-CBOR bytes (formats/dag-cbor.md). Whatever `encode` would not have written is refused, so
 * equal values have equal bytes and equal ids.
 *
 * Gives `null`, booleans, numbers, strings, byte arrays (copies), arrays, links and objects without a prototype, whose
 * keys are therefore harmless whatever they are. Throws `CBOR_INVALID`, `CBOR_TOO_LARGE`, `CBOR_TOO_DEEP`, nothing else.
 */
export function decode(bytes: Uint8Array, limits: CborLimits = {}): unknown {
  const all = withDefaults(limits)
  if (bytes.length > all.maxBytes) throw tooLarge(all.maxBytes)
  const reader = new Reader(bytes, all)
  const value = reader.item(0)
  reader.end()
  return value
}

/** Text up to this length is read by our own loop while it is ASCII; longer text, read and compared, is faster through `TextDecoder`. */
const SHORT_TEXT = 24

/**
 * One pass that checks the canonical form and builds the value. Re-encoding and comparing, which a lenient parser needs,
 * takes about four times as long; the tests hold this reader against exactly that.
 */
class Reader {
  readonly #bytes: Uint8Array
  readonly #limits: Required<CborLimits>
  #at = 0
  #items = 0

  constructor(bytes: Uint8Array, limits: Required<CborLimits>) {
    this.#bytes = bytes
    this.#limits = limits
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw this.#refused('bytes follow the value')
  }

  item(depth: number): unknown {
    if (++this.#items > this.#limits.maxItems) throw tooMany(this.#limits.maxItems)
    const initial = this.#byte()
    switch (initial >> 5) {
      case 0:
        return this.#integer(initial)
      case 1:
        // -1 - n: one less than the safe range is long enough for n.
        return -1 - this.#integer(initial, Number.MAX_SAFE_INTEGER - 1)
      case 2:
        return copyBytes(this.#take(this.#argument(initial)))
      case 3:
        return this.#text(initial)
      case 4:
        return this.#array(initial, depth + 1)
      case 5:
        return this.#map(initial, depth + 1)
      case 6:
        return this.#link(initial)
      default:
        return this.#simple(initial)
    }
  }

  #simple(initial: number): boolean | null | number {
    switch (initial) {
      case 0xf4:
        return false
      case 0xf5:
        return true
      case 0xf6:
        return null
      case 0xfb:
        return this.#float()
      default:
        throw this.#refused('a simple value other than false, true, null and 64-bit floats')
    }
  }

  #float(): number {
    const { buffer, byteOffset, length } = this.#take(8)
    const value = new DataView(buffer, byteOffset, length).getFloat64(0)
    if (!Number.isFinite(value)) throw this.#refused('a float that is not finite')
    // A float without a fraction would be a second form of the integer; this is also what refuses -0.
    if (Number.isInteger(value)) throw this.#refused('a float that should be an integer')
    return value
  }

  #integer(initial: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#argument(initial)
    if (value > max) throw this.#refused('an integer outside the safe range')
    return value
  }

  #text(initial: number): string {
    const bytes = this.#bytes
    const length = this.#argument(initial)
    const start = this.#at
    this.#skip(length)
    if (length <= SHORT_TEXT) {
      let text = ''
      let i = start
      for (; i < this.#at; i++) {
        const byte = bytes[i] as number
        if (byte > 0x7f) break
        text += String.fromCharCode(byte)
      }
      if (i === this.#at) return text
    }
    try {
      return fromUtf8(bytes.subarray(start, this.#at))
    } catch (cause) {
      throw this.#refused('text that is not well-formed UTF-8', cause)
    }
  }

  #array(initial: number, depth: number): unknown[] {
    const count = this.#count(initial, 1, depth)
    const array: unknown[] = []
    for (let i = 0; i < count; i++) array.push(this.item(depth))
    return array
  }

  #map(initial: number, depth: number): Record<string, unknown> {
    const count = this.#count(initial, 2, depth)
    const map: Record<string, unknown> = Object.create(null)
    let previous = this.#at
    for (let i = 0; i < count; i++) {
      const start = this.#at
      const keyInitial = this.#byte()
      if (keyInitial >> 5 !== 3) throw this.#refused('a map key that is not text')
      const key = this.#text(keyInitial)
      if (i > 0 && !this.#ascending(previous, start)) throw this.#refused('map keys out of order or repeated')
      previous = start
      map[key] = this.item(depth)
    }
    return map
  }

  /**
   * Whether the encoded key at `a` comes before the one at `b`, which has just been read. Heads are in the shortest form,
   * so the order of the encoded keys is their order by length and then by bytes.
   */
  #ascending(a: number, b: number): boolean {
    const bytes = this.#bytes
    for (let i = 0; b + i < this.#at; i++) {
      const difference = (bytes[a + i] as number) - (bytes[b + i] as number)
      if (difference !== 0) return difference < 0
    }
    return false
  }

  #link(initial: number): Link {
    if (this.#argument(initial) !== 42) throw this.#refused('a tag other than 42')
    if (this.#byte() !== 0x58 || this.#byte() !== ID_LENGTH + 1 || this.#byte() !== 0) {
      throw this.#refused('a link that is not a zero byte and 36 bytes of a content id')
    }
    const bytes = this.#take(ID_LENGTH)
    try {
      return link(idFromBytes(bytes))
    } catch (cause) {
      throw this.#refused('a link that names no content id', cause)
    }
  }

  /** The number of items of an array or map, each of at least `width` bytes: a claim that cannot be true costs nothing. */
  #count(initial: number, width: number, depth: number): number {
    if (depth > this.#limits.maxDepth) throw tooDeep(this.#limits.maxDepth)
    const count = this.#argument(initial)
    if (count * width > this.#bytes.length - this.#at) throw this.#refused('a count of items longer than what is left')
    return count
  }

  /** The argument of an initial byte; above the safe range it is only known to be above. */
  #argument(initial: number): number {
    const info = initial & 31
    if (info < 24) return info
    if (info > 27) throw this.#refused('an indefinite length or reserved form')
    const width = 1 << (info - 24)
    let value = 0
    for (let i = 0; i < width; i++) value = value * 256 + this.#byte()
    const least = info === 24 ? 24 : 256 ** (width / 2)
    if (value < least) throw this.#refused('a number that is not in its shortest form')
    return value
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw this.#refused('the end in the middle of a value')
    this.#at++
    return byte
  }

  #take(length: number): Uint8Array {
    const start = this.#at
    this.#skip(length)
    return this.#bytes.subarray(start, this.#at)
  }

  #skip(length: number): void {
    if (length > this.#bytes.length - this.#at) throw this.#refused('a length longer than what is left')
    this.#at += length
  }

  #refused(found: string, cause?: unknown): VaultError<CborErrorCode> {
    return new VaultError({
      code: 'CBOR_INVALID',
      message: `Not strict DAG-CBOR: ${found}, before byte ${this.#at} of ${this.#bytes.length}.`,
      details: { offset: this.#at },
      cause,
    })
  }
}
