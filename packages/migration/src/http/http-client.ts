import type { Duplex } from 'node:stream'
import type { AbortOptions, ContentId, Random } from '@vault/core'
import { isVaultError, systemRandom, toHex } from '@vault/core'
import type { Frame } from '@vault/transfer/frame'
import { FrameMemory, frameParts } from '@vault/transfer/frame'
import { FieldFault } from '../records/field.ts'
import type { Ask, Call, Side } from './calls.ts'
import { CALLS } from './calls.ts'
import { isHopeless } from './connection-failure.ts'
import { HttpConnections } from './http-connections.ts'
import type { HttpOptions } from './http-options.ts'
import { DEFAULT_TIMEOUTS } from './http-options.ts'
import { pause } from './pause.ts'
import { MAX_PROOF_BYTES, MAX_PROOFS } from './proof-limits.ts'
import { REVERSE } from './reverse-protocol.ts'
import { answerInvalid, unreachable } from './wire-error.ts'
import { nothing } from './wire-field.ts'

/** Asks one other place, over connections that are kept. Requests may be repeated: each is so made that this does no harm. */
export class HttpClient {
  readonly #url: URL
  readonly #random: Random
  readonly #proofs: readonly Uint8Array[]
  readonly #patience: number
  readonly #memory = new FrameMemory()
  readonly #connections: HttpConnections

  /** Throws a `TypeError` for what is no address of a server, and a `RangeError` for more proofs than one takes. */
  constructor(url: string, options: HttpOptions) {
    const { proofs = [], random = systemRandom } = options
    checkProofs(proofs)
    this.#url = new URL(url)
    if (this.#url.protocol !== 'https:') throw new TypeError(`A vault server has an address https://…, not ${url}`)
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts }
    this.#random = random
    this.#proofs = proofs
    this.#patience = timeouts.patience
    this.#connections = new HttpConnections(this.#url, { ...options, timeouts })
  }

  /** What the other place is called: by its address, or by its key where it has none here. */
  get name(): string {
    return this.#connections.peer.name
  }

  /** Lets all connections go. */
  close(): void {
    this.#connections.close()
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
    const frame = await frameParts(value, body, this.#memory)
    return await this.patiently(options, () => this.#answer(path, frame, options, parse), path)
  }

  async #answer<T>(
    path: string,
    frame: readonly Uint8Array[],
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
    let isShown = this.#proofs.length === 0
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
        const since = isVaultError(error) ? now : this.#connections.failed(error)
        failedAt ??= since
        const wait = Math.min(100 * 2 ** tries, 5_000)
        if (isHopeless(error) || now - failedAt + wait > this.#patience) {
          throw isVaultError(error)
            ? error
            : unreachable(this.#connections.peer, { cause: error, wasHeard: this.#connections.wasHeard })
        }
        await pause(wait, { signal: options?.signal })
      }
    }
  }

  /** Throws what is wrong with the proofs, or the refusal itself where the other place takes none. */
  async #show(path: string, refused: unknown, options: AbortOptions | undefined): Promise<void> {
    const present = path.replace(/[^/]*$/, 'present')
    const frame = await frameParts({ proofs: this.#proofs })
    try {
      await this.patiently(options, () => this.#answer(present, frame, options, (value) => nothing(value, 'present')))
    } catch (error) {
      throw isVaultError(error, 'HTTP_REQUEST_INVALID') ? refused : error
    }
  }

  /** Sends one frame, in its parts, and reads those that come back, once. */
  frames(path: string, frame: readonly Uint8Array[], options?: AbortOptions): AsyncGenerator<Frame> {
    return this.#connections.frames(path, frame, options)
  }

  /** Sends a first frame, and an answer to each that comes back and asks for one. */
  async converse(...conversation: Parameters<HttpConnections['converse']>): Promise<void> {
    await this.#connections.converse(...conversation)
  }

  /** A connection by which the other place asks this one about a vault: it is opened here, and answered here. */
  async reversed(vault: ContentId, options?: AbortOptions): Promise<Duplex> {
    const path = `/vaults/${vault}/source/${REVERSE}`
    return await this.patiently(options, () => this.#connections.reversed(path, options), path)
  }

  /** A name that nothing else has. */
  newName(): string {
    return toHex(this.#random(16))
  }
}

function checkProofs(proofs: readonly Uint8Array[]): void {
  const bytes = proofs.reduce((sum, { length }) => sum + length, 0)
  if (proofs.length <= MAX_PROOFS && bytes <= MAX_PROOF_BYTES) return
  throw new RangeError(`A server is shown at most ${MAX_PROOFS} proofs of together ${MAX_PROOF_BYTES} bytes.`)
}
