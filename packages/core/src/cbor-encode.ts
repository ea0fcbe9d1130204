import type { Bytes } from './bytes.ts'
import { utf8 } from './bytes.ts'
import type { CborErrorCode, CborLimits } from './cbor-limits.ts'
import { tooDeep, tooLarge, tooMany, withDefaults } from './cbor-limits.ts'
import type { ContentId } from './content-id.ts'
import { ID_LENGTH, idBytes } from './content-id.ts'
import { VaultError } from './error.ts'
import { isLink } from './link.ts'

/**
 * The one DAG-CBOR form of a value (formats/dag-cbor.md).
 *
 * Takes `null`, booleans, numbers, well-formed strings, `Uint8Array`, arrays, plain objects and links. A number is an
 * integer within the safe range or has a fraction; `-0`, `NaN`, infinities and integers beyond are refused, and so is
 * `undefined`, also as the value of a key. Throws `CBOR_INVALID`, `CBOR_TOO_LARGE`, `CBOR_TOO_DEEP` (also for cycles).
 */
export function encode(value: unknown, limits: CborLimits = {}): Bytes {
  const writer = new Writer(withDefaults(limits))
  writer.item(value, 0)
  return writer.finish()
}

/** Text up to this length is written by our own loop while it is ASCII; longer text is faster through `TextEncoder`. */
const SHORT_TEXT = 64
const LONGEST_HEAD = 9

class Writer {
  readonly #limits: Required<CborLimits>
  #buffer = new Uint8Array(256)
  #length = 0
  #items = 0

  constructor(limits: Required<CborLimits>) {
    this.#limits = limits
  }

  finish(): Bytes {
    if (this.#length > this.#limits.maxBytes) throw tooLarge(this.#limits.maxBytes)
    return this.#buffer.slice(0, this.#length)
  }

  item(value: unknown, depth: number): void {
    if (++this.#items > this.#limits.maxItems) throw tooMany(this.#limits.maxItems)
    if (typeof value === 'string') this.#text(value)
    else if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'boolean') this.#head(7, value ? 21 : 20)
    else if (value === null) this.#head(7, 22)
    else if (value instanceof Uint8Array) this.#bytes(2, value)
    else if (isLink(value)) this.#link(value.id)
    else if (Array.isArray(value)) this.#array(value, this.#deeper(depth))
    else if (isPlain(value)) this.#map(value, this.#deeper(depth))
    else throw refused(`${describe(value)} has no DAG-CBOR form`)
  }

  #deeper(depth: number): number {
    if (depth >= this.#limits.maxDepth) throw tooDeep(this.#limits.maxDepth)
    return depth + 1
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
      if (value >= 0) this.#head(0, value)
      else this.#head(1, -1 - value)
    } else if (Number.isFinite(value) && !Number.isInteger(value)) {
      this.#reserve(LONGEST_HEAD)
      this.#buffer[this.#length] = 0xfb
      new DataView(this.#buffer.buffer).setFloat64(this.#length + 1, value)
      this.#length += 9
    } else {
      throw refused(`the number ${Object.is(value, -0) ? '-0' : value} is neither a safe integer nor a finite fraction`)
    }
  }

  #text(value: string): void {
    if (value.length <= SHORT_TEXT && this.#asciiText(value)) return
    if (!value.isWellFormed()) throw refused('a text holds a lone surrogate')
    this.#bytes(3, utf8(value))
  }

  /** Writes the text, or nothing and answers `false` at the first character that is not ASCII. */
  #asciiText(value: string): boolean {
    const start = this.#length
    this.#head(3, value.length)
    this.#reserve(value.length)
    const buffer = this.#buffer
    let at = this.#length
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i)
      if (code > 0x7f) {
        this.#length = start
        return false
      }
      buffer[at++] = code
    }
    this.#length = at
    return true
  }

  #bytes(major: number, value: Uint8Array): void {
    this.#head(major, value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  #link(id: ContentId): void {
    const bytes = new Uint8Array(1 + ID_LENGTH)
    try {
      bytes.set(idBytes(id), 1)
    } catch (cause) {
      throw refused('a link holds no content id', cause)
    }
    this.#head(6, 42)
    this.#bytes(2, bytes)
  }

  #array(value: readonly unknown[], depth: number): void {
    this.#head(4, value.length)
    // By index, because an iteration would take the holes of a sparse array for `undefined` but `forEach` would skip them.
    for (let i = 0; i < value.length; i++) this.item(value[i], depth)
  }

  #map(value: Readonly<Record<string, unknown>>, depth: number): void {
    const keys = Object.keys(value).sort(compareKeys)
    this.#head(5, keys.length)
    for (const key of keys) {
      this.#text(key)
      this.item(value[key], depth)
    }
  }

  /** A major type with its argument, in the shortest form. */
  #head(major: number, argument: number): void {
    this.#reserve(LONGEST_HEAD)
    const buffer = this.#buffer
    const type = major << 5
    let at = this.#length
    if (argument < 24) {
      buffer[at++] = type | argument
    } else {
      const width = argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8
      buffer[at++] = type | (width === 1 ? 24 : width === 2 ? 25 : width === 4 ? 26 : 27)
      for (let i = width - 1; i >= 0; i--) buffer[at++] = Math.floor(argument / 256 ** i)
    }
    this.#length = at
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#buffer.length) return
    if (needed > this.#limits.maxBytes + LONGEST_HEAD) throw tooLarge(this.#limits.maxBytes)
    const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length))
    grown.set(this.#buffer)
    this.#buffer = grown
  }
}

/** Objects of a literal, of `Object.create(null)` or of another realm; a class, a `Map` or a `Date` has a form of its own. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

/** The order of map keys: by the length of their UTF-8, then by its bytes. */
function compareKeys(a: string, b: string): number {
  return utf8Length(a) - utf8Length(b) || compareCodePoints(a, b)
}

function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    // Each half of a surrogate pair counts two of the pair's four bytes.
    if (unit > 0x7f) length += unit > 0x7ff && !isSurrogate(unit) ? 2 : 1
  }
  return length
}

/** The order of UTF-8 bytes is that of code points; that of JavaScript's `<` puts surrogates before U+E000. */
function compareCodePoints(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800
}

function describe(value: unknown): string {
  if (typeof value !== 'object') return typeof value
  return `an object of class ${(value as object).constructor?.name ?? 'unknown'}`
}

function refused(reason: string, cause?: unknown): VaultError<CborErrorCode> {
  return new VaultError({ code: 'CBOR_INVALID', message: `The value cannot be encoded: ${reason}.`, cause })
}
