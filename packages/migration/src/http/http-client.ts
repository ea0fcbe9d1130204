import type { ClientRequest, IncomingMessage } from 'node:http'
import { request } from 'node:https'
import type { AbortOptions, Bytes, Clock, ContentId, KeyId, Random, Signer } from '@vault/core'
import { isVaultError, systemClock, systemRandom, toHex } from '@vault/core'
import type { Frame } from '@vault/transfer/frame'
import { encodeFrame, readFrames } from '@vault/transfer/frame'
import { FieldFault } from '../records/field.ts'
import { Absence } from './absence.ts'
import type { Ask, Call, Side } from './calls.ts'
import { CALLS } from './calls.ts'
import { cut, isHopeless, silentMs } from './connection-failure.ts'
import { endSilent } from './end-silent.ts'
import { pause } from './pause.ts'
import { createPeerCredentials, type PeerCredentials } from './peer-certificate.ts'
import { PinnedAgent } from './pinned-agent.ts'
import { MAX_PROOF_BYTES, MAX_PROOFS } from './proof-limits.ts'
import { Rate } from './rate.ts'
import { answerInvalid, refusalIn, refusalOf, unreachable } from './wire-error.ts'
import { nothing } from './wire-field.ts'

/** How another place is reached. */
export interface HttpOptions {
  /** The key of this place, by which the other one knows it. */
  readonly place: Signer
  /** The key of the other place: whoever has another one is sent nothing. */
  readonly peerKey: KeyId
  /**
   * Certificates, as envelopes, that grant the key of this place what it asks of the other one, with the revocations and the sets of them
   * that these need. Shown where the other place does not let it in without. Default: none.
   */
  readonly proofs?: readonly Uint8Array[]
  /** Bytes in a second, both ways together. Default: as many as go. */
  readonly bytesPerSecond?: number
  /** Connections at a time. Default 4. */
  readonly connections?: number
  readonly timeouts?: Partial<HttpTimeouts>
  readonly clock?: Clock
  readonly random?: Random
}

/** Milliseconds. */
export interface HttpTimeouts {
  /** Until a connection stands. Default 10,000. */
  readonly connect: number
  /** During which nothing comes. A server says at least every second that it is there. Default 30,000. */
  readonly idle: number
  /** For which requests are tried again while the other place is away, from when nothing came any more. Default 60,000. */
  readonly patience: number
}

const TIMEOUTS: HttpTimeouts = { connect: 10_000, idle: 30_000, patience: 60_000 }
const CHUNK = 64 * 1024
const MAX_ANSWER = 96 * 1024 * 1024
const MAX_ITEMS = 2 ** 21
const RENEWED_MS = 24 * 3_600_000

/** Asks one other place, over connections that are kept. Requests may be repeated: each is so made that this does no harm. */
export class HttpClient {
  readonly url: URL
  readonly random: Random
  readonly #options: HttpOptions
  readonly #timeouts: HttpTimeouts
  readonly #clock: Clock
  readonly #rate: Rate | undefined
  readonly #agent: PinnedAgent
  readonly #absence: Absence
  #credentials: { readonly made: number; readonly pair: PeerCredentials } | undefined

  /** Throws a `TypeError` for what is no address of a server, and a `RangeError` for more proofs than one takes. */
  constructor(url: string, options: HttpOptions) {
    checkProofs(options.proofs ?? [])
    this.url = new URL(url)
    if (this.url.protocol !== 'https:') throw new TypeError(`A vault server has an address https://…, not ${url}`)
    this.#options = options
    this.#timeouts = { ...TIMEOUTS, ...options.timeouts }
    this.#clock = options.clock ?? systemClock
    this.random = options.random ?? systemRandom
    this.#rate = options.bytesPerSecond === undefined ? undefined : new Rate(options.bytesPerSecond)
    this.#absence = new Absence(this.#timeouts.patience)
    this.#agent = new PinnedAgent({
      host: this.url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(this.url.port || 443),
      key: options.peerKey,
      clock: this.#clock,
      connections: options.connections ?? 4,
      connectMs: () => this.#absence.within(this.#timeouts.connect),
      credentials: () => (this.#credentials as { readonly pair: PeerCredentials }).pair,
    })
  }

  /** Lets all connections go. */
  close(): void {
    this.#agent.destroy()
  }

  /** Asks about one vault. */
  asking(vault: ContentId, side: Side): Ask {
    return async (name, question, options) => {
      const { response } = CALLS[name] as Call<never, never>
      return await this.exchange(`/vaults/${vault}/${side}/${name}`, { value: question }, options, (value) =>
        response(value, name),
      )
    }
  }

  /** One request, one answer. */
  async exchange<T>(
    path: string,
    { value, body = [] }: { readonly value: unknown; readonly body?: readonly Uint8Array[] },
    options: AbortOptions | undefined,
    parse: (value: unknown) => T,
  ): Promise<T> {
    const frame = await encodeFrame(value, body)
    return await this.patiently(options, () => this.#answer(path, frame, options, parse), path)
  }

  async #answer<T>(
    path: string,
    frame: Bytes,
    options: AbortOptions | undefined,
    parse: (value: unknown) => T,
  ): Promise<T> {
    const answers: T[] = []
    // To its end, after which the connection can carry the next one.
    for await (const answer of this.frames(path, frame, options)) {
      answers.push(this.parsed(path, answer.value, parse))
    }
    if (answers.length !== 1) throw answerInvalid(path, `it has ${answers.length} parts`)
    return answers[0] as T
  }

  /** Reads what another place says. Throws `HTTP_ANSWER_INVALID`. */
  parsed<T>(path: string, value: unknown, parse: (value: unknown) => T): T {
    try {
      return parse(value)
    } catch (error) {
      if (error instanceof FieldFault) throw answerInvalid(path, error.message, error)
      throw error
    }
  }

  /**
   * Tries until it is done or patience is at an end. What the other place refuses is refused; where it does not let this one in to what
   * lies at `path`, or has forgotten why, it is shown the proofs once. Throws `HTTP_UNREACHABLE`.
   */
  async patiently<T>(options: AbortOptions | undefined, attempt: () => Promise<T>, path?: string): Promise<T> {
    let isShown = (this.#options.proofs ?? []).length === 0
    let failedAt: number | undefined
    for (let tries = 0; ; tries++) {
      options?.signal?.throwIfAborted()
      try {
        return await attempt()
      } catch (error) {
        options?.signal?.throwIfAborted()
        if (path !== undefined && !isShown && isVaultError(error, 'HTTP_NOT_ALLOWED')) {
          isShown = true
          await this.#show(path, error, options)
          continue
        }
        if (isVaultError(error) && error.code !== 'HTTP_LIMIT') throw error
        const now = performance.now()
        const since = isVaultError(error) ? now : this.#absence.failed(silentMs(error))
        failedAt ??= since
        const wait = Math.min(100 * 2 ** tries, 5_000)
        // Others that were kept may have died of the same, and nobody has noticed yet.
        if (silentMs(error) > 0) this.#agent.dropIdle()
        if (isHopeless(error) || now - failedAt + wait > this.#timeouts.patience) {
          throw isVaultError(error) ? error : unreachable(this.url, error)
        }
        await pause(wait, { signal: options?.signal })
      }
    }
  }

  /** Throws what is wrong with the proofs, or the refusal itself where the other place takes none. */
  async #show(path: string, refused: unknown, options: AbortOptions | undefined): Promise<void> {
    const present = path.replace(/[^/]*$/, 'present')
    const frame = await encodeFrame({ proofs: this.#options.proofs })
    try {
      await this.patiently(options, () => this.#answer(present, frame, options, (value) => nothing(value, 'present')))
    } catch (error) {
      throw isVaultError(error, 'HTTP_REQUEST_INVALID') ? refused : error
    }
  }

  /** Sends one frame and reads those that come back, once. */
  async *frames(path: string, frame: Bytes, options?: AbortOptions): AsyncGenerator<Frame> {
    const sent = await this.#begin(path, { ...options, length: frame.length })
    let whole = false
    try {
      yield* this.#received(path, await this.#answerTo(sent, frame, options), options)
      whole = true
    } finally {
      if (!whole) sent.destroy()
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
      const responded = responseOf(sent)
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

  async #begin(
    path: string,
    { length, signal }: AbortOptions & { readonly length?: number } = {},
  ): Promise<ClientRequest> {
    await this.#renew({ signal })
    const size = length === undefined ? {} : { 'content-length': length }
    const idleMs = this.#absence.within(this.#timeouts.idle)
    const sent = request({
      agent: this.#agent,
      host: this.url.hostname,
      port: this.url.port || 443,
      method: 'POST',
      path,
      headers: { 'content-type': 'application/vnd.vault.frames', ...size },
      ...(signal && { signal }),
    })
    sent.on('error', () => {})
    endSilent(sent, idleMs)
    for (const answered of ['information', 'response']) sent.once(answered, () => this.#absence.heard())
    return sent
  }

  async #answerTo(sent: ClientRequest, frame: Bytes, options?: AbortOptions): Promise<IncomingMessage> {
    const responded = responseOf(sent)
    if (this.#rate === undefined) {
      sent.end(frame)
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
    for (let from = 0; from < frame.length && !over; from += CHUNK) {
      const chunk = frame.subarray(from, from + CHUNK)
      await Promise.race([this.#rate.take(chunk.length, options), ended])
      if (!over && !sent.write(chunk)) {
        await Promise.race([new Promise<void>((resolve) => void sent.once('drain', resolve)), ended])
      }
    }
    if (!over) sent.end()
    return await responded
  }

  async *#received(path: string, answer: IncomingMessage, options?: AbortOptions): AsyncGenerator<Frame> {
    if (answer.statusCode !== 200) throw await refusalOf(path, answer)
    const limits = { maxBytes: MAX_ANSWER, maxItems: MAX_ITEMS }
    try {
      for await (const frame of readFrames(this.#paced(answer, options), limits)) {
        const refused = refusalIn(frame.value)
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
    const parts = { clock: this.#clock, random: this.random, ...options }
    this.#credentials = { made: now, pair: await createPeerCredentials(this.#options.place, parts) }
  }

  /** A name that nothing else has. */
  newName(): string {
    return toHex(this.random(16))
  }
}

function checkProofs(proofs: readonly Uint8Array[]): void {
  const bytes = proofs.reduce((sum, { length }) => sum + length, 0)
  if (proofs.length <= MAX_PROOFS && bytes <= MAX_PROOF_BYTES) return
  throw new RangeError(`A server is shown at most ${MAX_PROOFS} proofs of together ${MAX_PROOF_BYTES} bytes.`)
}

function responseOf(sent: ClientRequest): Promise<IncomingMessage> {
  const responded = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.once('error', reject)
    sent.once('close', () => reject(cut()))
  })
  return responded
}
