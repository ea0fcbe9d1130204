import type { Writable } from 'node:stream'
import { OutputError } from './output-error.ts'
import { printable } from './printable.ts'

/** The streams a command talks to: results on `stdout`, everything for people on `stderr`. */
export interface Streams {
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number }
}

/** How a command speaks. In JSON mode exactly one object is written to stdout; otherwise text. Throws `OutputError`. */
export class Output {
  readonly json: boolean
  readonly #streams: Streams
  readonly #quiet: boolean
  /** Whether the one object has begun with a list, which its last members are still to follow. */
  #hasBegun = false

  constructor(streams: Streams, options: { readonly json: boolean; readonly quiet: boolean }) {
    this.#streams = streams
    this.json = options.json
    this.#quiet = options.quiet
  }

  /** Whether stdout is a terminal, which is no place for bytes. */
  get isTerminal(): boolean {
    return this.#streams.stdout.isTTY === true
  }

  /** A line for people, beside the result. */
  note(line: string): void {
    if (!this.#quiet) this.warn(line)
  }

  /** A line that must be seen, quiet or not. A line break in it is somebody's name and shown as an escape. */
  warn(line: string): void {
    this.#streams.stderr.write(`${printable(line)}\n`)
  }

  /** The result, and the end: the object in JSON mode, else the text, if any. After a list, the last members of its object. */
  async result(value: Readonly<Record<string, unknown>>, text?: string): Promise<void> {
    if (this.json) {
      const object = JSON.stringify(value)
      await this.#write(this.#hasBegun ? `],${object.slice(1)}\n` : `${object}\n`)
    } else if (text !== undefined) await this.#write(`${text}\n`)
  }

  /**
   * A result that is a list of any length, written as it comes: lines of text, or one object whose `key` holds the items
   * and whose `count` and `ok` follow them. Where the pages fail, `result` ends what has begun.
   */
  async list<Item>(
    key: string,
    pages: AsyncIterable<readonly Item[]>,
    show: { readonly json: (item: Item) => unknown; readonly text: (item: Item) => string },
  ): Promise<void> {
    let count = 0
    for await (const page of pages) {
      let chunk = this.#begin(key)
      for (const item of page) {
        if (this.json) chunk += `${count > 0 ? ',' : ''}${JSON.stringify(show.json(item))}`
        else chunk += `${show.text(item)}\n`
        count++
      }
      await this.#write(chunk)
    }
    await this.#write(this.#begin(key))
    await this.result({ count, ok: true })
  }

  /** Raw content, for `get` without an output file. */
  async raw(bytes: string | Uint8Array): Promise<void> {
    await this.#write(bytes)
  }

  /** The beginning of the one object, once. */
  #begin(key: string): string {
    if (!this.json || this.#hasBegun) return ''
    this.#hasBegun = true
    return `{${JSON.stringify(key)}:[`
  }

  async #write(chunk: string | Uint8Array): Promise<void> {
    if (chunk.length === 0) return
    await new Promise<void>((resolve, reject) => {
      this.#streams.stdout.write(chunk, (error) => (error ? reject(new OutputError(error)) : resolve()))
    })
  }
}
