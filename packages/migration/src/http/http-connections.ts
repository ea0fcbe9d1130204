import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import type { Duplex } from 'node:stream'
import type { AbortOptions, Bytes, Clock, Random, Signer } from '@vault/core'
import { concatBytes, isVaultError, systemClock, systemRandom } from '@vault/core'
import type { Frame } from '@vault/transfer/frame'
import { readFrames } from '@vault/transfer/frame'
import { Absence } from './absence.ts'
import { cut, silentMs } from './connection-failure.ts'
import { endSilent } from './end-silent.ts'
import type { HttpOptions, HttpTimeouts } from './http-options.ts'
import { createPeerCredentials, type PeerCredentials } from './peer-certificate.ts'
import { PinnedAgent } from './pinned-agent.ts'
import { Rate } from './rate.ts'
import { REVERSE_PROTOCOL } from './reverse-protocol.ts'
import { Slots } from './slots.ts'
import { answerInvalid, refusalIn, refusalOf } from './wire-error.ts'

const CHUNK = 64 * 1024
const MAX_ANSWER = 96 * 1024 * 1024
const MAX_ITEMS = 2 ** 21
const RENEWED_MS = 24 * 3_600_000
/** The latest time that a `Date` can be, in milliseconds (ECMA-262, 21.4.1.1): whoever waits for ever waits until then. */
const LATEST_TIME = 8.64e15

/** Connections to one other place, which are kept: each carries one request after the other, paced and under its own key. Nothing is tried twice. */
export class HttpConnections {
  /** What the other place is called, by its address, and its host; one that opens the connections itself is called by its key and has none here. */
  readonly peer: { readonly name: string; readonly hostname: string | undefined }
  readonly #url: URL
  readonly #place: Signer
  readonly #timeouts: HttpTimeouts
  readonly #clock: Clock
  readonly #random: Random
  readonly #rate: Rate | undefined
  readonly #agent: PinnedAgent
  readonly #absence: Absence
  readonly #slots: Slots
  #credentials: { readonly made: number; readonly pair: PeerCredentials } | undefined

  constructor(url: URL, { timeouts, ...options }: HttpOptions & { readonly timeouts: HttpTimeouts }) {
    const { place, peerKey, bytesPerSecond, connections = 4, clock = systemClock, random = systemRandom } = options
    const { absent = () => {}, reverse } = options
    const peer =
      reverse === undefined ? { name: url.origin, hostname: url.hostname } : { name: peerKey, hostname: undefined }
    this.peer = peer
    this.#url = url
    this.#place = place
    this.#timeouts = timeouts
    this.#clock = clock
    this.#random = random
    this.#rate = bytesPerSecond === undefined ? undefined : new Rate(bytesPerSecond)
    this.#absence = new Absence(timeouts.patience, {
      tell: (notice) => {
        if (notice.type === 'back') return absent({ type: 'back', url: peer.name, ms: Math.round(notice.ms) })
        const until = Math.min(LATEST_TIME, clock().getTime() + notice.leftMs)
        absent({ type: 'away', url: peer.name, until: new Date(until).toISOString() })
      },
    })
    // The agent counts a connection only when it stands, and would open one for each of many that begin at once.
    this.#slots = new Slots(connections)
    this.#agent = new PinnedAgent({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 443),
      key: peerKey,
      reverse,
      clock,
      connections,
      connectMs: () => this.#absence.within(timeouts.connect),
      credentials: () => (this.#credentials as { readonly pair: PeerCredentials }).pair,
    })
  }

  /** Lets all connections go. */
  close(): void {
    this.#agent.destroy()
  }

  /** Whether the other place has ever answered. */
  get wasHeard(): boolean {
    return this.#absence.wasHeard
  }

  /** A request has found nobody, or lost them. Gives since when the other place is away. */
  failed(error: unknown): number {
    // Others that were kept may have died of the same, and nobody has noticed yet.
    if (silentMs(error) > 0) this.#agent.dropIdle()
    return this.#absence.failed(silentMs(error))
  }

  /** Sends one frame, in its parts, and reads those that come back, once. */
  async *frames(path: string, frame: readonly Uint8Array[], options?: AbortOptions): AsyncGenerator<Frame> {
    const length = frame.reduce((sum, part) => sum + part.length, 0)
    const sent = await this.#begin(path, { ...options, length })
    let [isSent, isAnswered] = [false, false]
    sent.once('finish', () => {
      isSent = true
    })
    try {
      yield* this.#received(path, await this.#answerTo(sent, { frame, length }, options), options)
      isAnswered = true
    } finally {
      // Nothing goes on being sent behind an answer that came early: its memory is the caller's again.
      if (!isSent || !isAnswered) sent.destroy()
    }
  }

  /** Sends a first frame, and an answer to each that comes back and asks for one, until one says that it is the end. */
  async converse(
    path: string,
    first: Bytes,
    answer: (question: unknown) => Promise<Bytes | 'wait' | 'end'>,
    options?: AbortOptions,
  ): Promise<void> {
    const sent = await this.#begin(path, options)
    try {
      const responded = responseOf(sent, options)
      responded.catch(() => {})
      sent.write(first)
      for await (const { value } of this.#received(path, await responded, options)) {
        const next = await answer(value)
        if (next === 'end') return
        if (next === 'wait') continue
        if (this.#rate === undefined) sent.write(next)
        else for await (const piece of this.#rate.pieces(next, options)) sent.write(piece)
      }
      throw answerInvalid(path, 'it ends in the middle')
    } finally {
      sent.destroy()
    }
  }

  /** Turns a connection into one by which the other end asks this one. Nothing has been read of it. */
  async reversed(path: string, options?: AbortOptions): Promise<Duplex> {
    const sent = await this.#begin(path, { ...options, headers: { connection: 'Upgrade', upgrade: REVERSE_PROTOCOL } })
    const reversed = new Promise<Duplex>((resolve) => {
      sent.once('upgrade', (_, socket, head) => {
        this.#absence.heard()
        // The other end may begin at once, and that come together with its answer.
        if (head.length > 0) socket.unshift(head)
        resolve(socket)
      })
    })
    const refused = responseOf(sent, options).then(async (answer) => {
      throw await refusalOf(this.peer.name, path, answer)
    })
    sent.end()
    try {
      return await Promise.race([reversed, refused])
    } finally {
      refused.catch(() => {})
    }
  }

  async #begin(
    path: string,
    {
      length,
      headers,
      signal,
    }: AbortOptions & { readonly length?: number; readonly headers?: OutgoingHttpHeaders } = {},
  ): Promise<ClientRequest> {
    await this.#renew({ signal })
    const size = length === undefined ? {} : { 'content-length': length }
    const done = await this.#slots.take({ signal })
    const idleMs = this.#absence.within(this.#timeouts.idle)
    const sent = request({
      agent: this.#agent,
      host: this.#url.hostname,
      port: this.#url.port || 443,
      method: 'POST',
      path,
      headers: { 'content-type': 'application/vnd.vault.frames', ...size, ...headers },
      ...(signal && { signal }),
    })
    sent.on('error', () => {})
    // The connection is kept for the next one right behind it.
    sent.once('close', done)
    endSilent(sent, idleMs, this.#absence)
    for (const answered of ['information', 'response']) sent.once(answered, () => this.#absence.heard())
    return sent
  }

  async #answerTo(
    sent: ClientRequest,
    { frame, length }: { readonly frame: readonly Uint8Array[]; readonly length: number },
    options?: AbortOptions,
  ): Promise<IncomingMessage> {
    const responded = responseOf(sent, options)
    if (this.#rate === undefined && length <= CHUNK) {
      sent.end(concatBytes(...frame))
      return await responded
    }
    // The server is to know of it while the first of it waits for its turn.
    sent.flushHeaders()
    // A server that refuses does so without waiting for the rest.
    let over = false
    const ended = responded.then(
      () => {
        over = true
      },
      () => {
        over = true
      },
    )
    for (const chunk of chunksOf(frame)) {
      if (over) break
      if (this.#rate !== undefined) await Promise.race([this.#rate.take(chunk.length, options), ended])
      if (!over && !sent.write(chunk)) {
        await Promise.race([new Promise<void>((resolve) => void sent.once('drain', resolve)), ended])
      }
    }
    if (!over) sent.end()
    return await responded
  }

  async *#received(path: string, answer: IncomingMessage, options?: AbortOptions): AsyncGenerator<Frame> {
    if (answer.statusCode !== 200) throw await refusalOf(this.peer.name, path, answer)
    const limits = { maxBytes: MAX_ANSWER, maxItems: MAX_ITEMS }
    try {
      for await (const frame of readFrames(this.#paced(answer, options), limits)) {
        const refused = refusalIn(frame.value, this.peer.name)
        if (refused !== undefined) throw refused
        yield frame
      }
    } catch (error) {
      // A connection that was cut is no protocol of another kind.
      if (isVaultError(error, 'TRANSFER_FRAME_INVALID') && answer.complete)
        throw answerInvalid(path, error.message, error)
      throw isVaultError(error, 'TRANSFER_FRAME_INVALID') ? cut(error) : error
    }
  }

  async *#paced(answer: IncomingMessage, options?: AbortOptions): AsyncGenerator<Uint8Array> {
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      await this.#rate?.take(chunk.length, options)
      yield chunk
    }
  }

  async #renew(options: AbortOptions): Promise<void> {
    const now = this.#clock().getTime()
    if (this.#credentials !== undefined && Math.abs(now - this.#credentials.made) < RENEWED_MS) return
    const parts = { clock: this.#clock, random: this.#random, ...options }
    this.#credentials = { made: now, pair: await createPeerCredentials(this.#place, parts) }
  }
}

/** Rejects with `signal.reason`, too: a request that waits for a connection says nothing of that before it has one. */
function responseOf(sent: ClientRequest, { signal }: AbortOptions = {}): Promise<IncomingMessage> {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const abort = () => reject(signal?.reason)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.once('close', () => {
      signal?.removeEventListener('abort', abort)
      reject(cut())
    })
  })
}

/** The same bytes in chunks: short parts are joined, and of long ones nothing is copied. */
function* chunksOf(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  let open = new Uint8Array(CHUNK)
  let filled = 0
  for (const part of parts) {
    if (filled > 0 && filled + part.length > CHUNK) {
      yield open.subarray(0, filled)
      open = new Uint8Array(CHUNK)
      filled = 0
    }
    let rest = part
    for (; rest.length >= CHUNK; rest = rest.subarray(CHUNK)) yield rest.subarray(0, CHUNK)
    open.set(rest, filled)
    filled += rest.length
  }
  if (filled > 0) yield open.subarray(0, filled)
}
