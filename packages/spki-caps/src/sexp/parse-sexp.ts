import { copyBytes, utf8 } from '@vault/core'
import type { Octets, Sexp } from './sexp.ts'
import { invalidSexp } from './sexp.ts'

const MAX_LENGTH = 64 * 1024
const MAX_DEPTH = 32

const WHITESPACE = new Set([0x20, 0x09, 0x0b, 0x0c, 0x0d, 0x0a])
const TOKEN = /^[A-Za-z0-9\-./_:*+=]$/
const ESCAPES: Readonly<Record<string, number>> = {
  '?': 0x3f,
  '"': 0x22,
  "'": 0x27,
  '\\': 0x5c,
  a: 0x07,
  b: 0x08,
  t: 0x09,
  n: 0x0a,
  v: 0x0b,
  f: 0x0c,
  r: 0x0d,
}

/**
 * An S-expression in any form of RFC 9804: canonical, basic transport (`{base64}`) or advanced. At most 64 KiB, 32 lists
 * deep. Throws `CAPS_SEXP_INVALID`.
 */
export function parseSexp(input: Uint8Array | string): Sexp {
  const bytes = typeof input === 'string' ? utf8(input) : input
  if (bytes.length > MAX_LENGTH) throw invalidSexp(`it is longer than ${MAX_LENGTH} bytes`)
  return new Reader(bytes, false).whole()
}

/** An S-expression in its canonical form, of which each has one. Throws `CAPS_SEXP_INVALID`. */
export function parseCanonicalSexp(bytes: Uint8Array): Sexp {
  if (bytes.length > MAX_LENGTH) throw invalidSexp(`it is longer than ${MAX_LENGTH} bytes`)
  return new Reader(bytes, true).whole()
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #canonical: boolean
  #at = 0

  constructor(bytes: Uint8Array, canonical: boolean) {
    this.#bytes = bytes
    this.#canonical = canonical
  }

  whole(): Sexp {
    this.#space()
    const value = this.#value(0)
    this.#space()
    if (this.#at !== this.#bytes.length) throw invalidSexp(`something follows it at byte ${this.#at}`)
    return value
  }

  #value(depth: number): Sexp {
    if (depth > MAX_DEPTH) throw invalidSexp(`it nests deeper than ${MAX_DEPTH}`)
    const char = this.#char()
    if (char === '(') return this.#list(depth)
    if (char === '{' && !this.#canonical) return this.#transport(depth)
    return this.#octets()
  }

  #list(depth: number): readonly Sexp[] {
    this.#at++
    const items: Sexp[] = []
    for (;;) {
      this.#space()
      if (this.#char() === ')') {
        this.#at++
        return items
      }
      items.push(this.#value(depth + 1))
    }
  }

  /** What is inside may be in any form, and stands in the place of the braces. */
  #transport(depth: number): Sexp {
    this.#at++
    const inner = new Reader(base64(this.#until('}')), false)
    inner.#space()
    const value = inner.#value(depth + 1)
    inner.#space()
    if (inner.#at !== inner.#bytes.length) throw invalidSexp('something follows the value within braces')
    return value
  }

  #octets(): Octets {
    if (this.#char() !== '[') return { bytes: this.#string() }
    this.#at++
    this.#space()
    const hint = this.#string()
    this.#space()
    if (this.#char() !== ']') throw invalidSexp(`a display hint does not end at byte ${this.#at}`)
    this.#at++
    this.#space()
    return { hint, bytes: this.#string() }
  }

  #string(): Uint8Array {
    const length = this.#decimal()
    const char = this.#char()
    if (length !== undefined && char === ':') return this.#verbatim(length)
    if (this.#canonical) throw invalidSexp(`byte ${this.#at} begins no canonical string`)
    const bytes = this.#written(char, length)
    if (length !== undefined && bytes.length !== length) throw invalidSexp('a string has not the length that it says')
    return bytes
  }

  #written(char: string, length: number | undefined): Uint8Array {
    if (char === '"' || char === '#' || char === '|') {
      this.#at++
      if (char === '"') return this.#quoted()
      return char === '#' ? hexadecimal(this.#until('#')) : base64(this.#until('|'))
    }
    if (length !== undefined || !TOKEN.test(char)) throw invalidSexp(`byte ${this.#at} begins no string`)
    const start = this.#at
    while (this.#at < this.#bytes.length && TOKEN.test(this.#char())) this.#at++
    return copyBytes(this.#bytes.subarray(start, this.#at))
  }

  #verbatim(length: number): Uint8Array {
    const start = this.#at + 1
    if (length > this.#bytes.length - start) throw invalidSexp('a string is longer than what is left')
    this.#at = start + length
    return copyBytes(this.#bytes.subarray(start, this.#at))
  }

  #quoted(): Uint8Array {
    const out: number[] = []
    for (;;) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw invalidSexp('a quoted string does not end')
      if (byte === 0x22) return Uint8Array.from(out)
      if (byte === 0x5c) out.push(...this.#escape())
      else out.push(byte)
    }
  }

  #escape(): readonly number[] {
    const char = this.#char()
    this.#at++
    const code = ESCAPES[char]
    if (code !== undefined) return [code]
    if (char === 'x') return [this.#digits(/^[0-9A-Fa-f]{2}$/, 2, 16)]
    if (/^[0-3]$/.test(char)) {
      this.#at--
      return [this.#digits(/^[0-3][0-7]{2}$/, 3, 8)]
    }
    // A line that is continued: the end of it is left out, whichever way it is written.
    if (char === '\n' || char === '\r') {
      const next = this.#bytes[this.#at]
      if ((next === 0x0a || next === 0x0d) && next !== char.charCodeAt(0)) this.#at++
      return []
    }
    throw invalidSexp(`there is no escape at byte ${this.#at}`)
  }

  #digits(form: RegExp, count: number, base: number): number {
    const digits = ascii(this.#bytes.subarray(this.#at, this.#at + count))
    if (!form.test(digits)) throw invalidSexp(`there is no escape at byte ${this.#at}`)
    this.#at += count
    return Number.parseInt(digits, base)
  }

  /** A length; a token cannot begin with a digit. */
  #decimal(): number | undefined {
    const start = this.#at
    while (/^\d$/.test(this.#bytes[this.#at] === undefined ? '' : this.#char())) this.#at++
    if (this.#at === start) return undefined
    const digits = ascii(this.#bytes.subarray(start, this.#at))
    if (!/^(?:0|[1-9]\d{0,5})$/.test(digits)) throw invalidSexp(`a length at byte ${start} is none`)
    return Number(digits)
  }

  #until(end: string): string {
    const stop = this.#bytes.indexOf(end.charCodeAt(0), this.#at)
    if (stop < 0) throw invalidSexp(`there is no ${end} at the end`)
    const text = ascii(this.#bytes.subarray(this.#at, stop).filter((byte) => !WHITESPACE.has(byte)))
    this.#at = stop + 1
    return text
  }

  #space(): void {
    if (this.#canonical) return
    while (WHITESPACE.has(this.#bytes[this.#at] ?? -1)) this.#at++
  }

  #char(): string {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw invalidSexp('it ends in the middle')
    return String.fromCharCode(byte)
  }
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function hexadecimal(text: string): Uint8Array {
  if (!/^(?:[0-9A-Fa-f]{2})*$/.test(text)) throw invalidSexp('between # there are no pairs of hexadecimal digits')
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}

/** With padding or without, and with no bits behind the last byte. */
function base64(text: string): Uint8Array {
  const digits = text.replace(/={1,2}$/, '')
  const padding = text.length - digits.length
  const isForm = /^[A-Za-z0-9+/]*$/.test(digits) && digits.length % 4 !== 1 && (padding === 0 || text.length % 4 === 0)
  if (!isForm) throw invalidSexp('it is not in base64')
  const bytes = Uint8Array.from(atob(digits), (char) => char.charCodeAt(0))
  if (btoa(String.fromCharCode(...bytes)).replace(/=+$/, '') !== digits) throw invalidSexp('base64 has bits left over')
  return bytes
}
