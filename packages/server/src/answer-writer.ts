import { once } from 'node:events'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import type { AbortOptions } from '@vault/core'
import type { Rate } from '@vault/migration/http'
import { encodeFrame } from '@vault/transfer/frame'

interface Parts {
  readonly signal: AbortSignal
  readonly rate?: Rate
}

const FRAMES = 'application/vnd.vault.frames'

/** Writes the answer to one request, as fast as the server gives and the client reads. */
export class AnswerWriter {
  readonly #response: ServerResponse
  readonly #parts: Parts
  readonly #gone: AbortSignal
  /** Ends when the server does, or when the client has gone. */
  readonly there: AbortOptions

  constructor(response: ServerResponse, parts: Parts) {
    this.#response = response
    this.#parts = parts
    this.#gone = untilGone(response)
    this.there = { signal: AbortSignal.any([parts.signal, this.#gone]) }
  }

  /** One frame of several. Between two of them others have their turn, however fast the client reads. */
  async say(value: unknown, body: readonly Uint8Array[] = []): Promise<void> {
    if (this.#response.destroyed) throw gone()
    await this.#write(await encodeFrame(value, body), { 'content-type': FRAMES })
    await setImmediate()
  }

  /** The only frame. In one piece, where it need not be slow: there are many small ones, and each piece costs as much again. */
  async reply(value: unknown): Promise<void> {
    const frame = await encodeFrame(value)
    const head = { 'content-type': FRAMES, 'content-length': frame.length }
    if (this.#parts.rate === undefined) return void this.#response.writeHead(200, head).end(frame)
    await this.#write(frame, head)
    this.#response.end()
  }

  /** Until there is room for the first of it, the client can be told that it is worked on, and why it is not. */
  async #write(frame: Uint8Array, head: OutgoingHttpHeaders): Promise<void> {
    const { rate } = this.#parts
    if (rate === undefined) return await this.#put(frame, head)
    let isBegun = false
    try {
      for await (const piece of rate.pieces(frame, this.there)) {
        await this.#put(piece, head)
        isBegun = true
      }
    } catch (error) {
      // Behind half a frame nobody reads why it ends.
      if (isBegun) this.#response.destroy()
      throw error
    }
  }

  async #put(bytes: Uint8Array, head: OutgoingHttpHeaders): Promise<void> {
    if (!this.#response.headersSent) this.#response.writeHead(200, head)
    if (this.#response.write(bytes)) return
    await once(this.#response, 'drain', { signal: this.#gone }).catch(() => {})
  }
}

/** Aborts when the connection ends before the answer does. */
function untilGone(response: ServerResponse): AbortSignal {
  const left = new AbortController()
  const leave = () => {
    if (!response.writableFinished) left.abort(gone())
  }
  if (response.destroyed) leave()
  else response.once('close', leave)
  return left.signal
}

function gone(): Error {
  return Object.assign(new Error('The client has gone'), { code: 'ECONNRESET' })
}
