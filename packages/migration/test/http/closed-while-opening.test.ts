import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:tls'
import { createSigner, generateSecretKey, systemClock, systemRandom } from '@vault/core'
import { expect, test } from 'vitest'
import { createPeerCredentials, httpPlace } from '../../src/http/index.ts'

test('a client that is closed leaves no connection behind, also none that it was just opening', async () => {
  const [place, other] = [createSigner(generateSecretKey(systemRandom)), createSigner(generateSecretKey(systemRandom))]
  const credentials = await createPeerCredentials(other, { clock: systemClock, random: systemRandom })
  const server = createServer({ ...credentials, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false })
  const open = new Set<Socket>()
  const stop = new AbortController()
  const client = httpPlace(`https://127.0.0.1:${await listening()}`, { place, peerKey: other.key })
  // The handshake goes on when nobody waits for it any more.
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    setImmediate(() => {
      stop.abort(new Error('not any more'))
      void client[Symbol.asyncDispose]()
    })
  })
  try {
    await expect(client.vaults({ signal: stop.signal })).rejects.toThrow('not any more')
    for (let tries = 0; tries < 100 && open.size > 0; tries++) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(open.size).toBe(0)
  } finally {
    for (const socket of open) socket.destroy()
    server.close()
  }

  async function listening(): Promise<number> {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return (server.address() as AddressInfo).port
  }
})
