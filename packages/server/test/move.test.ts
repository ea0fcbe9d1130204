import { toHex, type VaultId } from '@vault/core'
import { openTarget, openVault, owner, sourceOf } from '@vault/embedded'
import { planMigration, runMigration, verifyCertificate } from '@vault/migration'
import { httpSource } from '@vault/migration/http'
import { describe, expect, test } from 'vitest'
import { cuttingProxy, type Harm } from './cutting-proxy.ts'
import { moveTo, reach, SHORT, scratch, serve, vaultIn } from './served.ts'

test('a vault moves to a server, with certificate, trail and keys', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 60)
  await using _ = vault
  await using server = await serve(folder.at('b'), { allow: [place.key] })
  await using target = await reach(server, place, vault.id)
  const { phase, certificate, sent } = await moveTo(vault, target)
  expect(phase).toBe('complete')
  const { trusted } = verifyCertificate(certificate as Uint8Array, { trust: { vaults: [vault.id] } })
  expect(trusted).toBe(true)
  expect(sent.objects).toBeGreaterThanOrEqual(60)
  await server.close()
  await using moved = await openVault(folder.at('b'))
  expect(moved.id).toBe(vault.id)
  expect((await moved.status()).tenure.state).toBe('active')
  expect((await vault.status()).tenure.state).toBe('retired')
})

test('the place of a server acts by a root certificate of its own, with the operators sealed', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 1)
  await using _ = vault
  const passphrase = async () => 'three words more'
  await using server = await serve(folder.at('b'), {
    allow: [place.key],
    seat: { passphrase, newPassphrase: passphrase },
  })
  // Keys are sealed slowly.
  const timeouts = { connect: 10_000, idle: 60_000, patience: 60_000 }
  await using target = await reach(server, place, vault.id, { timeouts })
  await moveTo(vault, target)
  await server.close()
  // Without the passphrase nothing is signed when it is opened.
  await using moved = await openVault(folder.at('b'))
  expect(await moved.caps.rootStanding()).toMatchObject({ standing: 'good' })
})

test('a copy is pushed to a server, brought up to date, and pulled from there', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 30)
  await using _ = vault
  await using server = await serve(folder.at('b'), { allow: [place.key] })
  const sent: number[] = []
  for (let run = 0; run < 2; run++) {
    await using target = await reach(server, place, vault.id)
    const parts = { source: sourceOf(vault), target, authorize: owner }
    for await (const event of runMigration(await planMigration(parts), parts)) {
      if (event.type !== 'summary') continue
      expect(event.summary.tenure.state).toBe('replica')
      sent.push(event.summary.sent.objects)
    }
  }
  expect(sent[0]).toBeGreaterThanOrEqual(30)
  expect(sent[1]).toBe(0)

  await using source = await httpSource(server.url, { vault: vault.id, place, peerKey: server.key, timeouts: SHORT })
  await using target = await openTarget(folder.at('c'))
  const parts = { source, target, authorize: owner }
  for await (const event of runMigration(await planMigration(parts), parts)) {
    if (event.type === 'summary') expect(event.summary.sent.objects).toBe(sent[0])
  }
})

test('key events of another vault, and a trail for a vault that is not copied here, are refused', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 1)
  await using _ = vault
  const { vault: other } = await vaultIn(folder.at('other'), 1)
  await using __ = other
  await using server = await serve(folder.at('b'), { allow: [place.key] })
  await using target = await reach(server, place, vault.id)
  const refused = { code: 'MIGRATION_TARGET_REFUSED' }
  const [own, foreign] = await Promise.all([vault, other].map((each) => sourceOf(each).keyEvents()))
  const migration = '0'.repeat(32)
  await expect(target.receive({ vault: vault.id, keyEvents: foreign ?? [], migration })).rejects.toMatchObject(refused)
  const trail = await sourceOf(vault).trail()
  if (trail === undefined || own === undefined) throw new Error('The vault has no trail.')
  await expect(target.receiveTrail({ vault: vault.id, keyEvents: own, trail })).rejects.toMatchObject(refused)
  await target.receive({ vault: vault.id, keyEvents: own, migration })
  await target.receiveTrail({ vault: vault.id, keyEvents: own, trail })
})

describe('a connection that is harmed', () => {
  const harms: readonly (readonly [string, Harm])[] = [
    ['is cut in the middle of requests', { cutAfter: 6_000, times: 12 }],
    ['is reset in the middle of requests', { cutAfter: 9_000, times: 5, reset: true }],
    ['loses answers to what was done', { loseAnswersAfter: 6_000, times: 8 }],
    ['brings one byte at a time', { byByte: true }],
  ]
  test.each(harms)('%s: the move arrives, and every batch counts once', async (_, harm) => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 40)
    await using __ = vault
    await using server = await serve(folder.at('b'), { allow: [place.key] })
    await using proxy = await cuttingProxy(Number(new URL(server.url).port), harm)
    const url = `https://127.0.0.1:${proxy.port}`
    const timeouts = { connect: 5_000, idle: 10_000, patience: 30_000 }
    await using target = await reach({ url, key: server.key }, place, vault.id, { timeouts, connections: 1 })
    const { phase, sent } = await moveTo(vault, target)
    expect(phase).toBe('complete')
    expect(proxy.cuts()).toBe(harm.times ?? 0)
    await server.close()
    const records = await batchesOf(folder.at('b'), vault.id)
    expect(records).toHaveLength(sent.batches)
    // Each has a number that was drawn for it: one that was taken twice would stand there twice.
    expect(new Set(records).size).toBe(records.length)
  })

  test('takes everything and answers nothing: the client gives up within its patience', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 1)
    await using _ = vault
    await using server = await serve(folder.at('b'), { allow: [place.key] })
    await using proxy = await cuttingProxy(Number(new URL(server.url).port), { silent: true })
    const started = performance.now()
    const timeouts = { connect: 400, idle: 400, patience: 1_000 }
    const reached = reach({ url: `https://127.0.0.1:${proxy.port}`, key: server.key }, place, vault.id, { timeouts })
    await expect(reached).rejects.toMatchObject({ code: 'HTTP_UNREACHABLE' })
    expect(performance.now() - started).toBeLessThan(3_000)
  })
})

/** What the source said of the batches that a place has taken. */
async function batchesOf(dir: string, vault: VaultId): Promise<readonly string[]> {
  await using moved = await openVault(dir)
  const { tenure } = await moved.status()
  const batches = await moved.place.soups.soup(vault).batches(tenure.migration as string, { after: 0, limit: 1_000 })
  return batches.map(({ record }) => toHex(record))
}
