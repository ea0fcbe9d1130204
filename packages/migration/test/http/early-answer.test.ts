import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { createSigner, generateSecretKey, systemClock, systemRandom } from '@vault/core'
import { encodeFrame } from '@vault/transfer/frame'
import { expect, test } from 'vitest'
import { HttpConnections } from '../../src/http/http-connections.ts'
import { DEFAULT_TIMEOUTS } from '../../src/http/http-options.ts'
import { createPeerCredentials } from '../../src/http/peer-certificate.ts'

const anyKey = () => createSigner(generateSecretKey(systemRandom))

test('behind an answer that comes before the request is sent, nothing more is sent', async () => {
  const signer = anyKey()
  const answer = await encodeFrame('taken')
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n`
  const options = { requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' } as const
  const pair = await createPeerCredentials(signer, { clock: systemClock, random: systemRandom })
  const met = Promise.withResolvers<TLSSocket>()
  const server = createServer({ ...pair, ...options }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.pause()
      socket.write(Buffer.concat([Buffer.from(head), answer]))
      met.resolve(socket)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const connections = new HttpConnections(url, { place: anyKey(), peerKey: signer.key, timeouts: DEFAULT_TIMEOUTS })
  try {
    const lent = new Uint8Array(32 * 1024 * 1024).fill(1)
    const frames = await Array.fromAsync(connections.frames('/', [new Uint8Array(1_000), lent]))
    expect(frames.map(({ value }) => value)).toEqual(['taken'])
    // Whose it is uses it for something else.
    lent.fill(2)
    const socket = await met.promise
    let isFound = false
    socket.on('data', (bytes) => {
      isFound ||= bytes.includes(new Uint8Array(1_000).fill(2))
    })
    socket.resume()
    await once(socket, 'close', { signal: AbortSignal.timeout(2_000) })
    expect(isFound).toBe(false)
  } finally {
    connections.close()
    server.close()
  }
})
