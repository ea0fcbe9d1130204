import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { Clock, ContentId, KeyId } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { Call, CallName, Peer, Rate, Side } from '@vault/migration/http'
import {
  CALLS,
  peerKeyAt,
  REVERSE,
  REVERSE_PROTOCOL,
  readPeer,
  refusalFrame,
  refusalText,
  statusOf,
  VAULTS_PATH,
} from '@vault/migration/http'
import { encodeFrame, type Frame, FrameMemory, readFrames } from '@vault/transfer/frame'
import { AnswerWriter } from './answer-writer.ts'
import { ANSWERS, type Asked } from './answers.ts'
import type { LeaveDesk } from './leave-desk.ts'
import type { ServerLimits } from './limits.ts'
import { networkOf } from './network-of.ts'
import { openApi } from './openapi.ts'
import { Quota } from './quota.ts'
import { refusal } from './refusal.ts'
import { refusalFor } from './refusal-for.ts'
import { type Route, routeOf } from './route.ts'
import type { ServedPlace } from './served-place.ts'
import { standingOf } from './standing-of.ts'
import { STREAMS, WORKING_MS } from './streams.ts'

interface Parts {
  readonly limits: ServerLimits
  readonly leave: LeaveDesk
  readonly clock: Clock
  readonly failed: (error: unknown) => void
  readonly signal: AbortSignal
  /** How fast all requests and answers may come and go together. Default: as fast as they do. */
  readonly rate?: Rate
}

/** Who asks, and from where. */
interface Client {
  readonly key: KeyId
  readonly network: string
}

/** What leave is needed for. */
const ACTIONS: Readonly<Record<Side, string>> = { source: 'migrate', target: 'write', state: 'read' }

const MAX_REQUEST: number = 8 * 1024 * 1024
// Some 50 MiB in memory, whatever few bytes they were on the wire. A change of 16,384 objects with 65,536 links has less.
const MAX_ITEMS = 2 ** 18
const SHORT_REQUEST: number = 64 * 1024
// For a client that is still sending to read why it is refused.
const LINGER_MS = 1_000
// What is shown is looked at before anything is known of whoever shows it, and keys cost nothing: so it is counted by networks.
const PRESENTED = { concurrent: 4, perSecond: 10 }

/** Answers requests: who asks, whether they may, how much, and only then what. */
export class RequestHandler {
  readonly #served: ServedPlace
  readonly #parts: Parts
  readonly #quota: Quota
  readonly #presented = new Quota(PRESENTED)
  readonly #peers = new WeakMap<TLSSocket, Peer>()
  readonly #running = new Set<Promise<void>>()
  readonly #memory = new FrameMemory()

  constructor(served: ServedPlace, parts: Parts) {
    this.#served = served
    this.#parts = parts
    this.#quota = new Quota(parts.limits)
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A request whose body is not read to its end has none later.
    const { socket } = request
    const handled = this.#answer(request, response).catch((error: unknown) =>
      this.#refuse({ request, socket, response }, error),
    )
    this.#running.add(handled)
    await handled
    this.#running.delete(handled)
  }

  /** Resolves when nothing is worked on. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#running])
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false
    request.on('error', () => {})
    response.on('error', () => {})
    const key = this.#keyOf(request.socket as TLSSocket)
    if (request.method === 'GET' && request.url === '/openapi.json') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(openApi()))
      return
    }
    const network = networkOf(request.socket.remoteAddress ?? '')
    if (request.method === 'POST' && request.url === VAULTS_PATH) {
      await this.#working(response, this.#quota.begin(key), () => this.#list({ key, network }, request, response))
      return
    }
    const route = routeOf(request)
    const isShowing = route.name === 'present' && this.#parts.leave.takesProofs
    if (isShowing) hurry(request, this.#parts.limits.headerMs)
    const end = isShowing ? this.#presented.begin(network) : await this.#begin(route, { key, network })
    await this.#working(response, end, () => this.#work(route, { key, network }, request, response))
  }

  /** Whose connection it is. Its certificate is read once, and has to be good with each request. Throws `HTTP_PEER_CERTIFICATE`. */
  #keyOf(socket: TLSSocket): KeyId {
    const peer = this.#peers.get(socket) ?? readPeer(socket.getPeerX509Certificate()?.raw)
    this.#peers.set(socket, peer)
    return peerKeyAt(peer, this.#parts.clock())
  }

  /** Works on a request that has been counted, and lets the client hear that it is worked on. */
  async #working(response: ServerResponse, end: () => void, work: () => Promise<void>): Promise<void> {
    const working = setInterval(() => {
      if (!response.headersSent) response.writeProcessing()
    }, WORKING_MS)
    try {
      await work()
    } finally {
      clearInterval(working)
      end()
    }
  }

  /** Counts a request of whoever has leave. */
  async #begin({ vault, side, name }: Route, client: Client): Promise<() => void> {
    await this.#parts.leave.require(ACTIONS[side], { vault, ...client }, name)
    return this.#quota.begin(client.key)
  }

  /** Which vaults are here, of those that the client may ask about as a source or as a target. */
  async #list(client: Client, request: IncomingMessage, response: ServerResponse): Promise<void> {
    await onlyFrame(readFrames(this.#paced(request), { maxBytes: SHORT_REQUEST, maxItems: 1 }))
    let goesOn = false
    const mayAsk = async (vault: ContentId) => {
      for (const action of ['migrate', 'write']) {
        try {
          await this.#parts.leave.require(action, { vault, ...client, goesOn })
          return true
        } catch (error) {
          if (!isVaultError(error, 'HTTP_NOT_ALLOWED')) throw error
          goesOn = true
        }
      }
      return false
    }
    const writer = new AnswerWriter(response, this.#parts)
    await writer.reply(await standingOf(this.#served.place, mayAsk, { signal: this.#parts.signal }))
  }

  async #work(
    { vault, side, name }: Route,
    client: Client,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const writer = new AnswerWriter(response, this.#parts)
    const { key } = client
    const asked: Asked = {
      served: this.#served,
      vault,
      side,
      key,
      options: { signal: this.#parts.signal },
      whileThere: () => writer.there,
      spend: (requests) => this.#quota.spend(key, requests),
      require: this.#parts.leave.throughout({ vault, ...client }),
      brings: (migration) => this.#parts.leave.brings({ vault, key }, migration),
      show: (proofs) => this.#parts.leave.show(proofs, ACTIONS[side], { vault, ...client }),
    }
    const stream = Object.hasOwn(STREAMS, name) ? STREAMS[name] : undefined
    const call = Object.hasOwn(CALLS, name) ? (CALLS[name as CallName] as Call<unknown, unknown>) : undefined
    const { sides = [], maxBytes = MAX_REQUEST } = stream ?? call ?? {}
    if (side === 'source' && name === REVERSE)
      throw refusal('HTTP_REQUEST_INVALID', `A connection is offered with the header upgrade: ${REVERSE_PROTOCOL}.`)
    if (!sides.includes(side)) throw refusal('HTTP_REQUEST_INVALID', `A ${side} is not asked for ${name}.`)
    const memory = stream?.releases ? { memory: this.#memory } : {}
    const frames = readFrames(this.#paced(request), { maxBytes, maxItems: MAX_ITEMS, ...memory })
    if (stream !== undefined) {
      await stream.run(asked, frames, (...said) => writer.say(...said))
      response.end()
    } else {
      const value = await onlyFrame(frames)
      const question = (call as Call<unknown, unknown>).request(value, name)
      const answer = ANSWERS[name as CallName] as (asked: Asked, question: unknown) => Promise<unknown>
      await writer.reply(await answer(asked, question))
    }
  }

  /** A request as fast as the server takes it in. What is said to its client meanwhile does not keep one alive from which nothing comes. */
  async *#paced(request: IncomingMessage): AsyncGenerator<Uint8Array> {
    const { rate, signal, limits } = this.#parts
    const chunks = (request as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
    try {
      while (true) {
        const late = setTimeout(() => request.destroy(refusal('HTTP_LIMIT', 'Nothing came any more.')), limits.idleMs)
        const { value, done } = await chunks.next().finally(() => clearTimeout(late))
        if (done === true) return
        await rate?.take(value.length, { signal })
        yield value
      }
    } finally {
      await chunks.return?.()
    }
  }

  async #refuse(
    {
      request,
      socket,
      response,
    }: Pick<IncomingMessage, 'socket'> & {
      readonly request: IncomingMessage
      readonly response: ServerResponse
    },
    error: unknown,
  ): Promise<void> {
    if (response.destroyed) return
    const refused = refusalFor(error, this.#parts)
    if (response.headersSent) {
      // In the middle of an answer, the last frame says why it ends.
      response.end(await encodeFrame(refusalFrame(refused)))
      return
    }
    const { headers } = request
    // A little that is left of the request is read away, so that the connection can carry another one; more is not waited for.
    const isShort = Number(headers['content-length'] ?? Number.NaN) <= SHORT_REQUEST
    const ending = isShort ? {} : { connection: 'close' }
    response.writeHead(statusOf(refused.code), { 'content-type': 'application/json', ...ending })
    response.end(refusalText(refused))
    if (!isShort) response.once('finish', () => setTimeout(() => socket.destroy(), LINGER_MS).unref())
    request.resume()
  }
}

/** Few can show certificates at a time, so nobody keeps the others of its network waiting by sending slowly. */
function hurry(request: IncomingMessage, withinMs: number): void {
  const late = refusal('HTTP_LIMIT', 'The certificates did not come in time. Show them again.')
  const timer = setTimeout(() => request.destroy(late), withinMs)
  for (const event of ['end', 'close']) request.once(event, () => clearTimeout(timer))
}

async function onlyFrame(frames: AsyncGenerator<Frame>): Promise<unknown> {
  const { value } = (await frames.next()).value ?? {}
  if (!(await frames.next()).done) throw refusal('HTTP_REQUEST_INVALID', 'The request has more than one frame.')
  return value
}
