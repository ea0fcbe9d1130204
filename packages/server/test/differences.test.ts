import { connect, createServer } from 'node:net'
import { contentId, utf8 } from '@vault/core'
import { openPlace } from '@vault/embedded'
import { compareVaults, type Difference } from '@vault/migration'
import { httpSource } from '@vault/migration/http'
import { expect, test } from 'vitest'
import { anyKey, SHORT, scratch, serve, vaultIn } from './served.ts'

/** Passes bytes on, and counts them. */
async function counting(port: number) {
  const passed = { bytes: 0 }
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        passed.bytes += chunk.length
        to.write(chunk)
      })
      from.on('error', () => {}).on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port: own } = proxy.address() as { readonly port: number }
  return { passed, url: `https://127.0.0.1:${own}`, [Symbol.asyncDispose]: async () => void proxy.close() }
}

test('what differs between here and a server is found over the wire, for few bytes', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 0)
  const { id } = vault
  await vault[Symbol.asyncDispose]()
  const objects = Array.from({ length: 6_020 }, (_, i) => ({ id: contentId(utf8(`object ${i}`)), size: 1, links: [] }))
  const client = anyKey()
  await (async () => {
    await using place = await openPlace(folder.at('a'), { mode: 'write' })
    await place.soups.soup(id).commit({ epoch: 0, objects: { add: objects.slice(0, 6_000) } })
  })()
  await using server = await serve(folder.at('a'), { allow: [client.key] })
  await using proxy = await counting(Number(new URL(server.url).port))
  await using there = await httpSource(proxy.url, { vault: id, place: client, peerKey: server.key, timeouts: SHORT })

  // The same vault elsewhere: without ten of these objects, and with twenty others.
  const { vault: beside } = await vaultIn(folder.at('b'), 0)
  await using _ = beside
  const { tenures } = beside.place.soups
  await tenures.transition(id, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
  const here = beside.place.soups.soup(id)
  await here.commit({ epoch: 0, objects: { add: objects.slice(10) } })

  const found: Difference[] = []
  const before = proxy.passed.bytes
  for await (const page of compareVaults(here, there.soup)) found.push(...page)
  expect(found).toHaveLength(30)
  const names = (where: Difference['where']) =>
    new Set(found.filter((each) => each.where === where).map((each) => each.name))
  expect(names('only-there')).toEqual(new Set(objects.slice(0, 10).map((each) => each.id)))
  expect(names('only-here')).toEqual(new Set(objects.slice(6_000).map((each) => each.id)))
  // All keys would be 192 kB.
  expect(proxy.passed.bytes - before).toBeLessThan(30_000)
})
