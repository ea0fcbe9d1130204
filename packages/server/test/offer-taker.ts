import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { type KeyId, type Signer, systemClock, systemRandom } from '@vault/core'
import { createPeerCredentials, REVERSE_PROTOCOL, type ReverseConnections } from '@vault/migration/http'

/** A server that takes every connection that it is offered, and does nothing else. `behind`: what it says at once, together with its answer. */
export async function offerTaker(
  key: Signer,
  { behind = '' }: { readonly behind?: string } = {},
): Promise<{ readonly url: string; readonly key: KeyId; readonly reverse: ReverseConnections } & AsyncDisposable> {
  const shown = await createPeerCredentials(key, { clock: systemClock, random: systemRandom })
  const server = createServer({ ...shown, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false })
  const all = new Set<TLSSocket>()
  const there: TLSSocket[] = []
  const takers: ((connection: TLSSocket) => void)[] = []
  server.on('secureConnection', (socket) => {
    all.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.pause()
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${REVERSE_PROTOCOL}\r\n\r\n${behind}`,
      )
      const taker = takers.shift()
      if (taker === undefined) there.push(socket)
      else taker(socket)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `https://127.0.0.1:${port}`,
    key: key.key,
    reverse: { take: async () => there.shift() ?? (await new Promise<TLSSocket>((resolve) => takers.push(resolve))) },
    async [Symbol.asyncDispose]() {
      for (const socket of all) socket.destroy()
      server.close()
    },
  }
}
