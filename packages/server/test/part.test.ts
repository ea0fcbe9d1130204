import type { Authorize } from '@vault/core'
import { createVault, openVault, owner, sourceOf } from '@vault/embedded'
import { planMigration, runMigration } from '@vault/migration'
import { httpPartTarget } from '@vault/migration/http'
import { entryKey } from '@vault/soup'
import { expect, test } from 'vitest'
import { allowedKeys } from '../src/index.ts'
import { moveTo, reach, SHORT, scratch, serve, vaultIn } from './served.ts'

const EVERYTHING = { where: { op: 'like', field: 'key', pattern: 'path:*' } } as const

test('a part comes into an active vault once, takes nothing out, and is recorded under the key that brought it', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 12)
  await using _ = vault
  const id = await createVault(folder.at('b'), { passphrase: undefined })
  {
    await using server = await serve(folder.at('b'), { parts: [place.key] })
    const reached = { vault: id, place, peerKey: server.key, timeouts: SHORT }
    await using target = await httpPartTarget(server.url, reached)
    const parts = { source: sourceOf(vault), target, authorize: owner }
    const sent: number[] = []
    for (let run = 0; run < 2; run++) {
      const plan = await planMigration(parts, { select: EVERYTHING })
      for await (const event of runMigration(plan, parts)) {
        if (event.type === 'summary') sent.push(event.summary.sent.objects)
      }
    }
    expect(sent).toEqual([12, 0])

    const migration = '2'.repeat(32)
    const receiving = await target.receive({ vault: vault.id, migration, keyEvents: [] })
    const [member] = await receiving.soup.members({ limit: 1 })
    const [entry] = await receiving.soup.entriesAfter({ limit: 1 })
    if (member === undefined || entry === undefined) throw new Error('Nothing came.')
    const refused = { code: 'HTTP_REQUEST_INVALID' }
    for (const batch of [{ objects: { remove: [member.id] } }, { entries: { remove: ['path:f0'] } }]) {
      await expect(receiving.intake.receive({ migration, segments: [], ...batch })).rejects.toMatchObject(refused)
    }
    expect(await receiving.soup.entriesByKey([entryKey('obj:none')])).toEqual([])
  }
  await using into = await openVault(folder.at('b'))
  const actors = new Set<string>()
  for await (const page of (await into.log.read()).entries()) {
    for (const { entry } of page) actors.add(`${entry.action.verb} ${entry.actor.key} ${entry.actor.proven}`)
  }
  expect([...actors]).toContain(`receive ${place.key} true`)
})

test('a vault that is not active takes no part', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 2)
  await using _ = vault
  const { vault: away, place: before } = await vaultIn(folder.at('away'), 2)
  await using __ = away
  await using server = await serve(folder.at('b'), { allow: [place.key, before.key] })
  {
    await using target = await reach(server, before, away.id)
    await moveTo(away, target)
  }
  await using retired = await serve(folder.at('away'), { parts: [place.key] })
  await using target = await httpPartTarget(retired.url, {
    vault: away.id,
    place,
    peerKey: retired.key,
    timeouts: SHORT,
  })
  const refused = { code: 'MIGRATION_TARGET_REFUSED' }
  const parts = { source: sourceOf(vault), target, authorize: owner }
  await expect(planMigration(parts, { select: EVERYTHING })).rejects.toMatchObject(refused)
  const offer = { vault: vault.id, migration: '3'.repeat(32), keyEvents: [] }
  await expect(target.receive(offer)).rejects.toMatchObject(refused)
})

test('who may move vaults here brings no parts, and leave that is taken back ends with the next batch', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 2)
  await using _ = vault
  const id = await createVault(folder.at('b'), { passphrase: undefined })
  const offer = { vault: vault.id, migration: '2'.repeat(32), keyEvents: [] }
  const refused = { code: 'HTTP_NOT_ALLOWED', details: { action: 'receive-part' } }
  {
    await using server = await serve(folder.at('b'), { allow: [place.key] })
    await using target = await httpPartTarget(server.url, { vault: id, place, peerKey: server.key, timeouts: SHORT })
    await expect(target.receive(offer)).rejects.toMatchObject(refused)
  }
  const parts = [place.key]
  const authorize: Authorize = (request, options) => allowedKeys([place.key], { parts })(request, options)
  await using server = await serve(folder.at('b'), { authorize })
  await using target = await httpPartTarget(server.url, { vault: id, place, peerKey: server.key, timeouts: SHORT })
  const receiving = await target.receive(offer)
  const batch = { migration: offer.migration, segments: [] }
  await receiving.intake.receive(batch)
  parts.length = 0
  await expect(receiving.intake.receive(batch)).rejects.toMatchObject(refused)
  await expect(receiving.finish(0)).rejects.toMatchObject(refused)
})
