import { httpSource } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { SHORT, scratch, serve, vaultIn } from './served.ts'

test('all clients together get no more than the server is to give', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 1)
  const content = crypto.getRandomValues(new Uint8Array(30_000))
  const id = await vault.put(content)
  await vault[Symbol.asyncDispose]()
  const rate = 20_000
  await using server = await serve(folder.at('a'), { allow: [place.key], bytesPerSecond: rate })
  const read = async () => {
    await using source = await httpSource(server.url, { vault: vault.id, place, peerKey: server.key })
    expect(await source.objects.get(id)).toEqual(content)
  }
  const started = performance.now()
  await Promise.all([read(), read()])
  // What was not used is kept for a quarter of a second.
  expect(performance.now() - started).toBeGreaterThan(((2 * content.length) / rate - 0.25) * 1000)
})

test('a piece that takes longer than a client waits in silence comes to it all the same', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 1)
  const content = crypto.getRandomValues(new Uint8Array(60_000))
  const id = await vault.put(content)
  await vault[Symbol.asyncDispose]()
  await using server = await serve(folder.at('a'), { allow: [place.key], bytesPerSecond: 20_000 })
  const timeouts = { ...SHORT, idle: 2_000, patience: 1 }
  await using source = await httpSource(server.url, { vault: vault.id, place, peerKey: server.key, timeouts })
  const started = performance.now()
  expect(await source.objects.get(id)).toEqual(content)
  expect(performance.now() - started).toBeGreaterThan(2_000)
})
