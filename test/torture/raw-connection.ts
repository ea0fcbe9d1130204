import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import type { PeerCredentials } from '@vault/migration/http'

/** What came for a request: the statuses of all its answers, and how it ended. */
export interface RawAnswer {
  readonly statuses: readonly number[]
  /** `late`: nothing more came, and the connection did not end either. */
  readonly end: 'answered' | 'closed' | 'late'
  readonly bodies: readonly string[]
}

/** Bytes on one TLS connection after the other, and what is answered; nothing of a client that would put them right. */
export class RawConnection {
  readonly #port: number
  readonly #credentials: PeerCredentials
  #socket: TLSSocket | undefined
  /** How many connections were opened. */
  opened = 0

  constructor(port: number, credentials: PeerCredentials) {
    this.#port = port
    this.#credentials = credentials
  }

  /**
   * Sends bytes and waits for so many answers, or until the other end closes the connection. `ends`: these are all that ever come, so the
   * connection is closed on this side.
   */
  async send(
    bytes: Uint8Array,
    { answers, ends, withinMs }: { readonly answers: number; readonly ends: boolean; readonly withinMs: number },
  ): Promise<RawAnswer> {
    const socket = await this.#open()
    const reader = new AnswerReader()
    const { promise, resolve } = Promise.withResolvers<RawAnswer['end']>()
    const take = (chunk: Buffer) => {
      if (reader.take(chunk) >= answers && !ends) resolve('answered')
    }
    const timer = setTimeout(() => resolve('late'), withinMs)
    const closed = () => resolve('closed')
    socket.on('data', take).once('close', closed)
    if (ends) socket.end(bytes)
    else socket.write(bytes)
    const end = await promise
    clearTimeout(timer)
    socket.off('data', take).off('close', closed)
    if (end !== 'answered' || reader.closes) this.close()
    if (end === 'closed') reader.finish()
    return { statuses: reader.statuses, end, bodies: reader.bodies }
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  async #open(): Promise<TLSSocket> {
    if (this.#socket?.writable) return this.#socket
    this.opened++
    const socket = connect({
      port: this.#port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ...this.#credentials,
    })
    await once(socket, 'secureConnect')
    socket.on('error', () => {})
    this.#socket = socket
    return socket
  }
}

/** Takes answers of HTTP/1.1 apart, as far as it is needed to see where each of them ends. */
class AnswerReader {
  readonly statuses: number[] = []
  readonly bodies: string[] = []
  closes = false
  #left = Buffer.alloc(0)

  /** How many answers have come as a whole. */
  take(chunk: Buffer): number {
    this.#left = Buffer.concat([this.#left, chunk])
    while (this.#takeOne());
    return this.statuses.length
  }

  /** Nothing follows: a status of which not all has come counts all the same. */
  finish(): void {
    const status = statusIn(this.#left.toString('latin1', 0, 32))
    if (status >= 200) this.statuses.push(status)
  }

  #takeOne(): boolean {
    const head = this.#left.indexOf('\r\n\r\n')
    if (head === -1) return false
    const text = this.#left.toString('latin1', 0, head).toLowerCase()
    const status = statusIn(text)
    const isInterim = status < 200
    const from = head + 4
    const length = isInterim ? 0 : /\r\ncontent-length: (\d+)/.exec(text)?.[1]
    // Chunked to its last chunk, or nothing at all.
    const end =
      length === undefined
        ? text.includes('\r\ntransfer-encoding: chunked')
          ? endOf(this.#left, '0\r\n\r\n', from)
          : from
        : from + Number(length)
    if (end === undefined || end > this.#left.length) return false
    if (!isInterim) {
      this.statuses.push(status)
      this.bodies.push(this.#left.toString('latin1', from, Math.min(end, from + 2_000)))
      this.closes ||= text.includes('\r\nconnection: close')
    }
    this.#left = this.#left.subarray(end)
    return this.#left.length > 0
  }
}

function statusIn(head: string): number {
  return Number(/^http\/1\.1 (\d{3})/i.exec(head)?.[1] ?? Number.NaN)
}

function endOf(bytes: Buffer, what: string, from: number): number | undefined {
  // A last chunk stands at the beginning, or behind the end of another one.
  if (bytes.indexOf(what, from) === from) return from + what.length
  const at = bytes.indexOf(`\r\n${what}`, from)
  return at === -1 ? undefined : at + 2 + what.length
}
