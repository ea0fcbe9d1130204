import type { Bytes } from '@vault/core'
import { VarintReader } from './varint.ts'

/** Reads a stream of chunks of any size in pieces of stated length. Holds one chunk and the piece being read. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #chunk: Uint8Array = new Uint8Array()
  #at = 0
  #offset = 0

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset
  }

  /** Whether nothing follows. */
  async isAtEnd(): Promise<boolean> {
    while (this.#at === this.#chunk.length) {
      const next = await this.#chunks.next()
      if (next.done) return true
      this.#chunk = next.value
      this.#at = 0
    }
    return false
  }

  /** A varint; `undefined` where the stream ends in it, `'invalid'` where it is none in its one form. */
  async varint(): Promise<number | 'invalid' | undefined> {
    const varint = new VarintReader()
    while (!(await this.isAtEnd())) {
      this.#offset++
      const value = varint.push(this.#chunk[this.#at++] as number)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** The next bytes, in `piece`, or else the caller's own; `undefined` where there are not so many. The caller has bounded the length. */
  async take(length: number, piece: Bytes = new Uint8Array(length)): Promise<Bytes | undefined> {
    for (let filled = 0; filled < length; ) {
      if (await this.isAtEnd()) return undefined
      const part = this.#chunk.subarray(this.#at, this.#at + length - filled)
      piece.set(part, filled)
      filled += part.length
      this.#at += part.length
      this.#offset += part.length
    }
    return piece
  }

  /** Ends the stream, so that whoever produces it can let go. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }
}
