import { contentId, encode, type VaultId } from '@vault/core'
import { openPlace, openVault } from '@vault/embedded'
import { readMove } from '@vault/migration'
import { expect, test } from 'vitest'
import { anyKey, reach, scratch, serve } from './served.ts'
import { eventually, follow, placeAt, requestTo, signedAway, standing, twoServers } from './two-servers.ts'

const back = (to: Parameters<typeof requestTo>[0]) => ({ to: requestTo(to).to, migration: null, reason: null })

/** The words that the trail of a vault has. */
async function verbsIn(dir: string, vault: VaultId): Promise<readonly string[]> {
  await using opened = await openVault(dir, { mode: 'read', choose: () => vault })
  const pages = await Array.fromAsync((await opened.log.read()).entries())
  return pages.flat().map(({ entry }) => entry.action.verb)
}

test('a move that was stopped is taken back by its server; asked again, it says the same', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await using to = placeAt(b, client)
  await follow(from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 }), 'copy')
  expect(await standing(to, vault)).toBe('receiving')
  const state = await follow(from.takeBack(vault, { ...back(b), reason: 'it was too slow' }))
  expect(state).toMatchObject({ phase: 'rolled-back', reason: 'it was too slow', certificate: null })
  expect(await standing(from, vault)).toBe('active')
  expect(await standing(to, vault)).toBeUndefined()
  expect(await follow(from.takeBack(vault, back(b)))).toEqual(state)
  expect((await follow(from.move(vault, requestTo(b))))?.phase).toBe('complete')
  expect(servers.failed).toEqual([])
  await a.close()
  const verbs = await verbsIn(folder.at('a'), vault)
  expect(verbs.filter((verb) => verb === 'migration-rolled-back')).toHaveLength(1)
})

test('of who may not, of another place and of other migrations nothing is taken back', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 2 })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await using foreign = placeAt(a, anyKey())
  await follow(from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 }), 'copy')
  const [move] = await from.moves(vault)
  const refused = (action: string) => ({ code: 'HTTP_NOT_ALLOWED', details: { action } })
  await expect(follow(foreign.takeBack(vault, back(b)))).rejects.toMatchObject(refused('migrate'))
  await expect(follow(from.takeBack(vault, back({ ...b, key: anyKey().key })))).rejects.toMatchObject(
    refused('move-away'),
  )
  {
    // One of another vault that has left from here, too.
    await using place = await openPlace(folder.at('a'), { mode: 'write' })
    const { records } = place.soups
    const state = await readMove(records, move?.migration_id as string)
    const another = { ...state, migration: '0'.repeat(32), vault: contentId(new Uint8Array()) }
    await records.swap(`migration/${another.migration}/state`, 0, encode(another))
  }
  for (const migration of ['0'.repeat(32), '1'.repeat(32)]) {
    const taken = follow(from.takeBack(vault, { ...back(b), migration }))
    await expect(taken).rejects.toMatchObject({ code: 'MIGRATION_UNKNOWN', details: { vault } })
  }
  await a.close()
  await using copying = await serve(folder.at('a'), { allow: [client.key], moveTo: [b] })
  await using only = placeAt(copying, client)
  await expect(follow(only.takeBack(vault, back(b)))).rejects.toMatchObject(refused('move-away'))
  const [still] = await only.moves(vault)
  expect(still?.migration_id).toBe(move?.migration_id)
  expect(still?.phase).not.toBe('rolled-back')
})

test('what is not there to be taken back stops nothing', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await using other = placeAt(a, client)
  await expect(follow(other.takeBack(vault, { ...back(b), migration: null }))).rejects.toThrow(
    'has not moved from here',
  )
  let asked = false
  for await (const event of from.move(vault, { ...requestTo(b), bytesPerSecond: 40_000 })) {
    if (event.type === 'moved') expect(event.state.phase).toBe('complete')
    if (event.type !== 'step' || event.step.effect !== 'copy') continue
    const taken = follow(other.takeBack(vault, { ...back(b), migration: '1'.repeat(32) }))
    await expect(taken).rejects.toMatchObject({ code: 'MIGRATION_UNKNOWN' })
    asked = true
  }
  expect(asked).toBe(true)
})

test('behind the signature it is taken back with the word of the other place, and what is complete not at all', async () => {
  await using folder = await scratch()
  await using servers = await signedAway(folder)
  const { vault, b, from, to, moves } = servers
  expect((await follow(from.takeBack(vault, back(b))))?.phase).toBe('rolled-back')
  expect(await standing(from, vault)).toBe('active')
  expect(await standing(to, vault)).toBeUndefined()
  expect((await follow(from.move(vault, requestTo(b))))?.phase).toBe('complete')
  // Both were planned within a second, so that neither of them is the latest.
  const migration = (await moves()).find(({ phase }) => phase === 'complete')?.migration as string
  await expect(follow(from.takeBack(vault, { ...back(b), migration }))).rejects.toMatchObject({
    code: 'MIGRATION_COMPLETE',
  })
  expect(await standing(to, vault)).toBe('active')
})

test('one that the other place did not let end is taken back by the server as it begins anew, and nobody has to ask', async () => {
  await using folder = await scratch()
  let isClosed = true
  await using servers = await signedAway(folder, (move) => isClosed && move?.phase === 'rolling-back')
  const { vault, client, a, b, from, moves } = servers
  await expect(follow(from.takeBack(vault, back(b)))).rejects.toMatchObject({ code: 'MIGRATION_NOT_GRANTED' })
  expect(await moves()).toMatchObject([{ phase: 'rolling-back' }])
  expect(await standing(from, vault)).toBe('retired')
  await a.close()
  isClosed = false
  const failed: unknown[] = []
  const options = { moves: [client.key], moveTo: [b], failed: (error: unknown) => failed.push(error) }
  await using again = await serve(folder.at('a'), options)
  await using there = placeAt(again, client)
  await eventually(async () => (await moves())[0]?.phase === 'rolled-back')
  expect(await standing(there, vault)).toBe('active')
  expect(failed).toEqual([])
})

test('a client that asks for what the server is ending goes on with it, and that is no failure', async () => {
  await using folder = await scratch()
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  const held = Promise.withResolvers<void>()
  await using servers = await signedAway(folder, async () => {
    if (!isHeld) return false
    held.resolve()
    await gate.promise
    return false
  })
  const { vault, client, a, b } = servers
  await a.close()
  isHeld = true
  const failed: unknown[] = []
  const options = { moves: [client.key], moveTo: [b], failed: (error: unknown) => failed.push(error) }
  await using again = await serve(folder.at('a'), options)
  await using from = placeAt(again, client)
  await held.promise
  const moving = follow(from.move(vault, requestTo(b)))
  setTimeout(gate.resolve, 500)
  expect((await moving)?.phase).toBe('complete')
  expect(failed).toEqual([])
})

test('where the other place has taken the vault already, the move is ended, and no success is said', async () => {
  await using folder = await scratch()
  await using servers = await signedAway(folder)
  const { vault, place, b, from, to, moves } = servers
  const [move] = await moves()
  const [handoff, keyEvent] = [move?.handoff as Uint8Array, move?.keyEvent as Uint8Array]
  {
    await using target = await reach(b, place, vault)
    await target.activate({ handoff, keyEvent })
  }
  await expect(follow(from.takeBack(vault, back(b)))).rejects.toMatchObject({ code: 'MIGRATION_TARGET_ADVANCED' })
  expect(await from.moves(vault)).toMatchObject([{ phase: 'complete' }])
  expect(await standing(from, vault)).toBe('retired')
  expect(await standing(to, vault)).toBe('active')
})

test('a client that goes when it has begun has it taken back all the same', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await follow(from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 }), 'copy')
  await follow(from.takeBack(vault, back(b)), 'reopen')
  await eventually(async () => (await from.moves(vault))[0]?.phase === 'rolled-back')
  expect(await standing(from, vault)).toBe('active')
  expect(servers.failed).toEqual([])
})

test('a move that runs for another client is taken back from under it', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await using other = placeAt(a, client)
  let state: Awaited<ReturnType<typeof follow>>
  const moving = (async () => {
    for await (const event of from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 })) {
      if (event.type === 'step' && event.step.effect === 'copy') state = await follow(other.takeBack(vault, back(b)))
    }
  })()
  await expect(moving).rejects.toMatchObject({ code: 'MIGRATION_SUPERSEDED' })
  expect(state?.phase).toBe('rolled-back')
  expect(await standing(from, vault)).toBe('active')
})

test('a take-back that is refused stops nothing', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using c = await serve(folder.at('c'), {})
  await using from = placeAt(a, client)
  await using other = placeAt(a, client)
  const mismatch = { code: 'MIGRATION_PLAN_MISMATCH', details: { planned: b.key, key: c.key } }
  let refused = false
  let isTakenBack = false
  const moving = (async () => {
    for await (const event of from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 })) {
      if (event.type === 'step' && event.step.effect === 'copy') {
        await expect(follow(other.takeBack(vault, { ...back(c), withoutTarget: true }))).rejects.toMatchObject(mismatch)
        refused = true
      } else if (refused && event.type === 'batch' && !isTakenBack) {
        // It goes on.
        isTakenBack = true
        await follow(other.takeBack(vault, { ...back(b), withoutTarget: true }))
      }
    }
  })()
  await expect(moving).rejects.toMatchObject({ code: 'MIGRATION_SUPERSEDED' })
  expect([refused, isTakenBack]).toEqual([true, true])
  expect(await standing(from, vault)).toBe('active')
})

test('nor does one to another server that the operator has named', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await follow(from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 }), 'copy')
  await a.close()
  await using c = await serve(folder.at('c'), { allow: [servers.place] })
  await using again = await serve(folder.at('a'), { moves: [client.key], moveTo: [b, c] })
  await using there = placeAt(again, client)
  await using other = placeAt(again, client)
  let isTakenBack = false
  let refused = false
  const moving = (async () => {
    for await (const event of there.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 })) {
      if (event.type === 'step' && event.step.effect === 'copy') {
        await expect(follow(other.takeBack(vault, back(c)))).rejects.toMatchObject({ code: 'MIGRATION_PLAN_MISMATCH' })
        refused = true
      } else if (refused && event.type === 'batch' && !isTakenBack) {
        isTakenBack = true
        await follow(other.takeBack(vault, back(b)))
      }
    }
  })()
  await expect(moving).rejects.toMatchObject({ code: 'MIGRATION_SUPERSEDED' })
  expect(isTakenBack).toBe(true)
})

test('a move to a server that is gone is given up without it, and what comes back is cleaned by the next move', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await follow(from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 }), 'copy')
  await b.close()
  // Nobody is connected to, so the place need not be one that the operator names any more.
  await a.close()
  await using alone = await serve(folder.at('a'), { moves: [client.key] })
  await using there = placeAt(alone, client)
  const without = { ...back(b), withoutTarget: true }
  const mistaken = { ...without, to: { ...without.to, key: anyKey().key } }
  await expect(follow(there.takeBack(vault, mistaken))).rejects.toMatchObject({ code: 'MIGRATION_PLAN_MISMATCH' })
  const state = await follow(there.takeBack(vault, without))
  expect(state).toMatchObject({ phase: 'rolled-back', next: 'decline', reason: 'the target is gone' })
  expect(await standing(there, vault)).toBe('active')
  expect(await follow(there.takeBack(vault, without))).toEqual(state)
  await alone.close()

  await using back2 = await serve(folder.at('b'), { allow: [servers.place, client.key] })
  await using to = placeAt(back2, client)
  expect(await standing(to, vault)).toBe('receiving')
  await using again = await serve(folder.at('a'), { moves: [client.key], moveTo: [back2] })
  await using anew = placeAt(again, client)
  expect((await follow(anew.move(vault, requestTo(back2))))?.phase).toBe('complete')
  expect(await standing(to, vault)).toBe('active')
  const moves = await anew.moves(vault)
  const left = moves.find(({ phase }) => phase === 'rolled-back')
  expect(left?.steps.map(({ status }) => status)).toEqual(['done', 'done', 'done'])
})

test('behind the signature nothing is given up without the word of the other place', async () => {
  await using folder = await scratch()
  await using servers = await signedAway(folder)
  const { vault, b, from, moves } = servers
  const before = await moves()
  const without = { ...back(b), withoutTarget: true }
  await expect(follow(from.takeBack(vault, without))).rejects.toMatchObject({ code: 'MIGRATION_HANDED_OFF' })
  expect(await moves()).toEqual(before)
  expect(await standing(from, vault)).toBe('retired')
})
