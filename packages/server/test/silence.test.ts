import { expect, test } from 'vitest'
import { cuttingProxy } from './cutting-proxy.ts'
import { reach, scratch, serve, vaultIn } from './served.ts'

const TIMEOUTS = { connect: 1_000, idle: 1_000, patience: 2_000 }
const LATE = 900

test('a link that swallows everything is given up within the patience, and so is what was open over it', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 3)
  await using _ = vault
  await using server = await serve(folder.at('b'), { allow: [place.key] })
  await using proxy = await cuttingProxy(Number(new URL(server.url).port), {})
  const url = `https://127.0.0.1:${proxy.port}`
  await using target = await reach({ url, key: server.key }, place, vault.id, { timeouts: TIMEOUTS })
  const { soup } = await target.look(vault.id)
  // Several connections, which are kept, and of which each is dead then.
  await Promise.all(Array.from({ length: 4 }, () => soup.tenure()))
  let began = 0
  const reading = soup.view(async ({ objects }) => {
    proxy.fallSilent()
    began = performance.now()
    await objects.scan({ prefix: '', limit: 10 })
  })
  await expect(reading).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' })
  expect(performance.now() - began).toBeLessThan(TIMEOUTS.patience + LATE)
  expect(performance.now() - began).toBeGreaterThan(TIMEOUTS.idle)
})
