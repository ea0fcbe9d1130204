import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BulkCasReader } from '@vault/cas'
import { systemClock, systemRandom } from '@vault/core'
import { openPlace } from '@vault/embedded'
import { createPeerCredentials } from '@vault/migration/http'
import { encodeFrame } from '@vault/transfer/frame'
import { expect, test } from 'vitest'
import { allowedKeys } from '../src/index.ts'
import { LeaveDesk } from '../src/leave-desk.ts'
import { DEFAULT_LIMITS } from '../src/limits.ts'
import { RequestHandler } from '../src/request-handler.ts'
import { ServedPlace } from '../src/served-place.ts'
import { anyKey, scratch, vaultIn } from './served.ts'

test.each(['rehash', 'get-objects'])('%s is given up when the client has gone', async (call) => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 1)
  const ids = (await vault.place.soups.soup(vault.id).members({ limit: 4 })).map(({ id }) => id)
  await vault[Symbol.asyncDispose]()
  await using place = await openPlace(folder.at('a'), { mode: 'write' })
  const begun = Promise.withResolvers<void>()
  let ended: unknown
  // Reads for ever, unless it is told to stop.
  const getMany: BulkCasReader['getMany'] = async function* (_, { signal } = {}) {
    begun.resolve()
    if (signal !== undefined) await once(signal, 'abort')
    ended = signal?.reason
    yield* []
    throw ended
  }
  const slow = { ...place, objects: { hasMany: place.objects.hasMany.bind(place.objects), getMany } }
  const parts = { limits: DEFAULT_LIMITS, clock: systemClock, random: systemRandom }
  const served = await ServedPlace.open(slow as unknown as typeof place, { ...parts, seat: {} })
  const client = anyKey()
  const { cert } = await createPeerCredentials(client, { clock: systemClock, random: systemRandom })
  const failed: unknown[] = []
  const { signal } = new AbortController()
  const handler = new RequestHandler(served, {
    ...parts,
    leave: new LeaveDesk({ authorize: allowedKeys([client.key]), certificates: undefined, clock: systemClock, signal }),
    failed: (error) => failed.push(error),
    signal,
  })
  // Without TLS, whose certificate is shown in its place.
  const server = createServer((asked, answer) => {
    Object.assign(asked.socket, { getPeerX509Certificate: () => new X509Certificate(cert) })
    void handler.handle(asked, answer)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const sent = request({ port, method: 'POST', path: `/vaults/${vault.id}/target/${call}` })
  sent.on('error', () => {})
  const question = call === 'rehash' ? { migration: '1'.repeat(32), ids, nonce: new Uint8Array(32) } : { ids }
  sent.end(await encodeFrame(question))
  await begun.promise
  sent.destroy()
  await handler.idle()
  expect(ended).toMatchObject({ code: 'ECONNRESET' })
  expect(failed).toEqual([])
  await served.close()
  server.close()
})
