import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import type { PeerCredentials } from '@vault/migration/http'

/** How a client is slow. */
export type Slowness = 'no-hello' | 'no-request' | 'slow-header' | 'slow-body' | 'no-reading'

/** Where it connects to, and what it asks for. */
export interface SlowTarget {
  readonly port: number
  readonly credentials: PeerCredentials
  readonly path: string
  /** A whole request body, with a long answer. */
  readonly body: Uint8Array
  /** Bytes of that answer, at least. */
  readonly answered: number
  /** Milliseconds for which nothing of it is read. */
  readonly unread: number
}

const BYTE_MS = 1_000

/** One connection of a client that is slow in its way; gives the milliseconds until the other end has had enough of it. */
export async function beSlow(how: Slowness, target: SlowTarget): Promise<number> {
  const { port, credentials, path, body, answered, unread } = target
  const began = performance.now()
  const tls = { port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.3', ...credentials } as const
  const socket: Socket = how === 'no-hello' ? connectTcp(port, '127.0.0.1') : connect(tls)
  const closed = new Promise<number>((resolve) => void socket.once('close', () => resolve(performance.now() - began)))
  socket.on('error', () => {})
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n`
  if (how === 'no-reading') {
    socket.pause().write(Buffer.concat([Buffer.from(`${head}\r\n`), body]))
    await sleep(unread)
    // Only who reads finds out that it was let go: there is less than it asked for.
    let read = 0
    socket.on('data', (chunk) => {
      read += chunk.length
    })
    socket.resume()
    const lasted = await closed
    return read < answered ? lasted : Number.POSITIVE_INFINITY
  } else {
    socket.resume()
    if (how === 'slow-header') await trickle(socket, Buffer.from(`${head}x: ${'y'.repeat(500)}`))
    if (how === 'slow-body') {
      socket.write(`${head}\r\n`)
      await trickle(socket, body)
    }
  }
  return await closed
}

/** A byte a second, as long as the connection takes them. */
async function trickle(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return
    socket.write(Uint8Array.of(byte))
    await sleep(BYTE_MS)
  }
}
