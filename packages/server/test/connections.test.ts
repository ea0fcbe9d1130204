import { httpPlace } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { cuttingProxy } from './cutting-proxy.ts'
import { anyKey, SHORT, scratch, serve } from './served.ts'

test('a client opens no more connections than it may, also for what begins at once', async () => {
  await using folder = await scratch()
  const client = anyKey()
  await using server = await serve(folder.at('a'), { allow: [client.key] })
  await using proxy = await cuttingProxy(Number(new URL(server.url).port), {})
  const options = { place: client, peerKey: server.key, timeouts: SHORT, connections: 2 }
  await using place = httpPlace(`https://127.0.0.1:${proxy.port}`, options)
  for (let burst = 0; burst < 2; burst++) {
    expect(await Promise.all(Array.from({ length: 12 }, () => place.vaults()))).toHaveLength(12)
  }
  expect(proxy.taken()).toBe(2)
})
