import { encodeEnvelope } from '@vault/core'
import { openPlace, openVault } from '@vault/embedded'
import { compareVaults, decodePlan, listMoves } from '@vault/migration'
import { httpSource, httpState } from '@vault/migration/http'
import type { Entry, Query } from '@vault/soup'
import { expect, test } from 'vitest'
import { anyKey, SHORT, scratch, serve, vaultIn } from './served.ts'
import { follow, placeAt, requestTo, standing, twoServers } from './two-servers.ts'

test('a move is planned for whoever may have it made, and nothing changes at either place', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 3 })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  const { to } = requestTo(b)
  const seen = async () => {
    await using place = await openPlace(folder.at('a'), { mode: 'read' })
    await using opened = await openVault(folder.at('a'), { mode: 'read', choose: () => vault })
    const { size } = await opened.log.read()
    const { records, tenures } = place.soups
    return { size, keys: await records.list(''), tenure: await tenures.read(vault), roots: await opened.roots() }
  }
  const before = await seen()
  const plan = await from.planMove(vault, to)
  expect(plan).toMatchObject({ kind: 'full', source: { vault }, target: { label: b.url, place: b.key } })
  expect(plan.source.counts.objects).toBe(3)
  expect(await seen()).toEqual(before)
  await using there = placeAt(b, client)
  expect(await standing(there, vault)).toBeUndefined()

  const refused = (action: string) => ({ code: 'HTTP_NOT_ALLOWED', details: { action } })
  await expect(from.planMove(vault, { ...to, key: anyKey().key })).rejects.toMatchObject(refused('move-away'))
  await a.close()
  await using copying = await serve(folder.at('a'), { allow: [client.key], moveTo: [b] })
  await using only = placeAt(copying, client)
  await expect(only.planMove(vault, to)).rejects.toMatchObject(refused('move-away'))
})

test('why a vault moves stands in its plan', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 2 })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  const reason = 'cost'
  expect(await from.planMove(vault, requestTo(b).to, { reason })).toMatchObject({ reason })
  const boredom = { ...requestTo(b), reason: 'boredom' as never }
  await expect(follow(from.move(vault, boredom))).rejects.toMatchObject({ code: 'HTTP_REQUEST_INVALID' })
  const state = await follow(from.move(vault, { ...requestTo(b), reason }))
  expect(decodePlan(state?.plan as Uint8Array)).toMatchObject({ reason })
  await expect(from.planMove(vault, requestTo(b).to)).rejects.toMatchObject({
    code: 'MIGRATION_COMPLETE',
    details: { migration: state?.migration },
  })
})

test('how a live move caught up is told of the vault that was asked about, and of no other one', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 3 })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await follow(from.move(vault, { ...requestTo(b), live: { maxPauseMs: 5_000 } }))
  await using place = await openPlace(folder.at('a'), { mode: 'read' })
  const [move] = await listMoves(place.soups.records)
  const { migration = '' } = move ?? {}
  expect(await from.liveMove(vault, migration)).toMatchObject({ terms: { maxPauseMs: 5_000 }, overruns: 0 })
  expect((await from.liveMove(vault, migration))?.rounds.length).toBeGreaterThan(0)
  const { vault: other } = await vaultIn(folder.at('other'), 1)
  await using _ = other
  expect(await from.liveMove(other.id, migration)).toBeUndefined()
  expect(await from.liveMove(vault, '0'.repeat(32))).toBeUndefined()
})

test('leave to read is enough to compare a vault, and for nothing else', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 4)
  await using opened = vault
  const reader = anyKey()
  const { envelope } = await opened.issueCap({
    to: reader.key,
    actions: ['read'],
    expires: new Date(Date.now() + 3_600_000),
  })
  await using server = await serve(folder.at('a'), { certificates: {} })
  const reached = { vault: opened.id, peerKey: server.key, timeouts: SHORT, proofs: [encodeEnvelope(envelope)] }
  await using state = await httpState(server.url, { ...reached, place: reader })
  expect(await Array.fromAsync(compareVaults(opened.soup, state.soup))).toEqual([])
  await expect(state.soup.charged([])).rejects.toMatchObject({ code: 'HTTP_REQUEST_INVALID' })
  await expect(httpSource(server.url, { ...reached, place: reader })).rejects.toMatchObject({
    code: 'HTTP_NOT_ALLOWED',
    details: { action: 'migrate' },
  })
  await expect(httpState(server.url, { ...reached, place: anyKey() })).rejects.toMatchObject({
    code: 'HTTP_NOT_ALLOWED',
    details: { action: 'read' },
  })
})

test('a query finds over the wire what it finds there, in its order', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 600)
  await using opened = vault
  await using server = await serve(folder.at('a'), { allow: [place.key] })
  await using source = await httpSource(server.url, { vault: opened.id, place, peerKey: server.key, timeouts: SHORT })
  const queries: readonly Query[] = [
    { prefix: 'path:' },
    { where: { op: 'like', field: 'key', pattern: 'path:f1*' }, limit: 7 },
    { prefix: 'path:', order: { field: 'key' } },
    { prefix: 'path:', after: { key: 'path:f5' }, limit: 300 },
    { prefix: 'nothing:' },
  ]
  const found = async (pages: AsyncIterable<readonly Entry[]>) => (await Array.fromAsync(pages)).flat()
  for (const query of queries) {
    expect(await found(source.soup.query(query))).toEqual(await found(opened.soup.query(query)))
  }
  for (const order of [{ field: 'size' }, { field: 'key', direction: 'descending' }] as const) {
    await expect(found(source.soup.query({ order }))).rejects.toMatchObject({ code: 'HTTP_REQUEST_INVALID' })
  }
  await expect(found(source.soup.query({ limit: -1 }))).rejects.toMatchObject({ code: 'SOUP_INVALID' })
})
