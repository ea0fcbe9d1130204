import { cp } from 'node:fs/promises'
import { encodeEnvelope, VaultError } from '@vault/core'
import { createVault, openMoveTarget, openPlace, openVault, owner, sourceOf } from '@vault/embedded'
import { planMigration, runMigration, verifyCertificate } from '@vault/migration'
import { type DistantEvent, httpPlace } from '@vault/migration/http'
import { describe, expect, test } from 'vitest'
import { anyKey, moveTo, reach, SHORT, scratch, serve, vaultIn } from './served.ts'
import { eventually, follow, placeAt, requestTo, signedAway, standing, twoServers } from './two-servers.ts'

/** Waits until what is asked for does not change any more. */
async function stays(ask: () => Promise<unknown>): Promise<void> {
  for (let before = await ask(), alike = 0; alike < 8; ) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const now = await ask()
    alike = now === before ? alike + 1 : 0
    before = now
  }
}

test('a vault moves from one server to another, for a client that has neither of them; asked again, it is said how it ended', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await using to = placeAt(b, client)
  expect(await from.vaults()).toMatchObject([{ vault, state: 'active', objects: 40 }])
  const state = await follow(from.move(vault, requestTo(b)))
  expect(state?.phase).toBe('complete')
  const certificate = state?.certificate as Uint8Array
  expect(verifyCertificate(certificate, { trust: { vaults: [vault] } })).toMatchObject({ trusted: true, findings: [] })
  expect(await standing(from, vault)).toBe('retired')
  expect(await standing(to, vault)).toBe('active')
  expect(await from.moves(vault)).toMatchObject([{ phase: 'complete', objects: 40 }])
  expect(await follow(from.move(vault, requestTo(b)))).toEqual(state)
  expect(servers.failed).toEqual([])

  await a.close()
  await using left = await openVault(folder.at('a'), { choose: () => vault })
  await expect(left.put(new TextEncoder().encode('late'))).rejects.toMatchObject({
    code: 'VAULT_MOVED',
    details: { address: b.url },
  })
})

test('whoever may only copy does not have it moved; and it goes nowhere but where the operator has named', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 2 })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  const stranger = anyKey()
  await using foreign = placeAt(a, stranger)
  const refused = (action: string) => ({ code: 'HTTP_NOT_ALLOWED', details: { action } })
  expect(await foreign.vaults()).toEqual([])
  await expect(follow(foreign.move(vault, requestTo(b)))).rejects.toMatchObject(refused('migrate'))
  await expect(follow(from.move(vault, requestTo({ ...b, key: stranger.key })))).rejects.toMatchObject(
    refused('move-away'),
  )
  const elsewhere = { url: 'https://127.0.0.1:1', key: b.key }
  await expect(follow(from.move(vault, requestTo(elsewhere)))).rejects.toMatchObject(refused('move-away'))
  await expect(follow(from.move(vault, requestTo({ ...b, url: `${b.url}/x` })))).rejects.toMatchObject({
    code: 'HTTP_REQUEST_INVALID',
  })
  await a.close()
  await using copying = await serve(folder.at('a'), { allow: [client.key], moveTo: [b] })
  await using only = placeAt(copying, client)
  expect(await standing(only, vault)).toBe('active')
  await expect(follow(only.move(vault, requestTo(b)))).rejects.toMatchObject(refused('move-away'))
  await expect(only.pauseMove(vault)).rejects.toMatchObject(refused('move-away'))
  await copying.close()
  await using wrong = await serve(folder.at('a'), { moves: [client.key], moveTo: [{ ...b, key: stranger.key }] })
  await using misled = placeAt(wrong, client)
  await expect(follow(misled.move(vault, requestTo({ ...b, key: stranger.key })))).rejects.toMatchObject({
    code: 'HTTP_PEER_KEY',
  })
  expect(await misled.moves(vault)).toEqual([])
})

test('a client is told for which approvals a move waits at the server', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 2 })
  const { a, b, client, vault } = servers
  const ana = anyKey()
  {
    await using own = await openVault(folder.at('a'), { choose: () => vault })
    await own.issueCap({ to: ana.key, actions: ['approve'], expires: null })
    await own.mandate({ action: 'migrate', approvals: 1 })
  }
  await using from = placeAt(a, client)
  await expect(follow(from.move(vault, requestTo(b)))).rejects.toMatchObject({ code: 'MIGRATION_NOT_APPROVED' })
  const [waiting] = await from.moves(vault)
  const { plan = vault } = waiting?.approvals ?? {}
  expect(waiting?.approvals).toEqual({ plan, needed: 1, given: 0, by: [] })
  await using own = await openVault(folder.at('a'), { choose: () => vault })
  await own.approve({ action: 'migrate', act: plan, expires: new Date(Date.now() + 60_000) }, { signers: [ana] })
  expect(await from.moves(vault)).toMatchObject([{ approvals: { given: 1, by: [{ approver: ana.key }] } }])
  expect((await follow(from.move(vault, requestTo(b))))?.phase).toBe('complete')
  expect((await from.moves(vault))[0]).not.toHaveProperty('approvals')
})

describe('a client that goes away', () => {
  test.each(['announce', 'copy', 'verify'])(
    'in %s stops the move, which goes on when it is asked again',
    async (step) => {
      await using folder = await scratch()
      await using servers = await twoServers(folder)
      const { a, b, client, vault } = servers
      await using from = placeAt(a, client)
      // So slow that it is known to have gone long before the end.
      await follow(from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 }), step)
      const [left] = await from.moves(vault)
      expect(left?.phase).not.toBe('complete')
      await stays(async () => (await from.moves(vault))[0]?.steps.filter(({ status }) => status === 'done').length)
      expect(await standing(from, vault)).toBe('active')
      expect((await follow(from.move(vault, requestTo(b))))?.phase).toBe('complete')
      expect(await from.moves(vault)).toHaveLength(1)
      expect(servers.failed).toEqual([])
    },
  )

  test('when the hand-off is being signed has the move ended without it', async () => {
    await using folder = await scratch()
    await using servers = await twoServers(folder)
    const { a, b, client, vault } = servers
    await using from = placeAt(a, client)
    await follow(from.move(vault, requestTo(b)), 'sign')
    await eventually(async () => (await from.moves(vault))[0]?.phase === 'complete')
    await using to = placeAt(b, client)
    expect(await standing(to, vault)).toBe('active')
    expect((await follow(from.move(vault, requestTo(b))))?.certificate).not.toBeNull()
  })
})

test('a server that died behind the signature ends the move when it begins anew, also where nobody may ask for it any more', async () => {
  await using folder = await scratch()
  await using servers = await signedAway(folder)
  const { vault, a, b, moves } = servers
  await a.close()
  await using _ = await serve(folder.at('a'), { moveTo: [b] })
  await eventually(async () => (await moves())[0]?.phase === 'complete')
  await using to = await openPlace(folder.at('b'), { mode: 'read' })
  expect((await to.soups.tenures.read(vault)).state).toBe('active')
})

test('a move is asked for by certificates that the client shows', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 2)
  await vault[Symbol.asyncDispose]()
  const client = anyKey()
  // Granted by the vault, and nowhere in what lies at the server.
  await cp(folder.at('a'), folder.at('copy'), { recursive: true })
  const proofs = await (async () => {
    await using copy = await openVault(folder.at('copy'))
    const expires = new Date(Date.now() + 3_600_000)
    const { envelope } = await copy.issueCap({ to: client.key, actions: ['migrate', 'move-away'], expires })
    return [encodeEnvelope(envelope)]
  })()
  await using b = await serve(folder.at('b'), { allow: [place.key] })
  await using a = await serve(folder.at('a'), { moveTo: [b], certificates: {} })
  await using unshown = placeAt(a, client)
  await expect(follow(unshown.move(vault.id, requestTo(b)))).rejects.toMatchObject({ code: 'HTTP_NOT_ALLOWED' })
  await using from = httpPlace(a.url, { place: client, peerKey: a.key, timeouts: SHORT, proofs })
  expect((await follow(from.move(vault.id, requestTo(b))))?.phase).toBe('complete')
})

test('what the vault grants its place is shown to the server where it moves', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 2)
  const client = anyKey()
  {
    // By certificates of the vault only one comes that is there as a copy.
    await using server = await serve(folder.at('b'), { allow: [place.key] })
    await using target = await reach(server, place, vault.id)
    const parts = { source: sourceOf(vault), target, authorize: owner }
    for await (const _ of runMigration(await planMigration(parts), parts));
  }
  await vault[Symbol.asyncDispose]()
  await using b = await serve(folder.at('b'), { certificates: {} })
  await using a = await serve(folder.at('a'), { moves: [client.key], moveTo: [b] })
  await using from = placeAt(a, client)
  expect((await follow(from.move(vault.id, requestTo(b))))?.phase).toBe('complete')
})

test('a move that is asked for again while it runs goes on there, and is one move', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder)
  const { a, b, client, vault } = servers
  await using first = placeAt(a, client)
  await using second = placeAt(a, client)
  const events = first.move(vault, requestTo(b))
  for await (const event of events) if (event.type === 'step' && event.step.effect === 'copy') break
  expect((await follow(second.move(vault, requestTo(b))))?.phase).toBe('complete')
  expect(await second.moves(vault)).toHaveLength(1)
})

test('a move that is asked for to another place while it runs is refused, and goes on where it goes', async () => {
  await using folder = await scratch()
  const other = { url: 'https://localhost:9', key: anyKey().key }
  await using servers = await twoServers(folder, { besides: [other] })
  const { a, b, client, vault } = servers
  await using first = placeAt(a, client)
  await using second = placeAt(a, client)
  const seen: string[] = []
  for await (const event of first.move(vault, requestTo(b))) {
    if (event.type === 'step') seen.push(event.step.effect)
    if (event.type !== 'step' || event.step.effect !== 'copy') continue
    await expect(follow(second.move(vault, requestTo(other)))).rejects.toMatchObject({
      code: 'MIGRATION_PLAN_MISMATCH',
    })
  }
  expect(seen.at(-1)).toBe('conclude')
  expect(await second.moves(vault)).toMatchObject([{ phase: 'complete' }])
})

test('a move is paused over the wire, and leave that is taken back on the way stops it', async () => {
  await using folder = await scratch()
  let granted = true
  const authorize: NonNullable<Parameters<typeof serve>[1]['authorize']> = async ({ action, object }) => {
    if (action === 'move-away' && !granted) throw new VaultError({ code: 'CAP_DENIED', message: 'It was taken back.' })
    return { action, object, proven: true }
  }
  await using servers = await twoServers(folder, { authorize })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await using other = placeAt(a, client)
  await expect(other.pauseMove(vault)).rejects.toMatchObject({ code: 'HTTP_REQUEST_INVALID' })
  const paused = (async () => {
    for await (const event of from.move(vault, requestTo(b))) {
      if (event.type === 'step' && event.step.effect === 'announce') await other.pauseMove(vault)
    }
  })()
  await expect(paused).rejects.toMatchObject({ code: 'MIGRATION_PAUSED' })
  expect(await other.moves(vault)).toMatchObject([{ phase: 'paused' }])
  const ended = (async () => {
    for await (const event of from.move(vault, { ...requestTo(b), bytesPerSecond: 4_000 })) {
      if (event.type === 'step' && event.step.effect === 'copy') granted = false
    }
  })()
  await expect(ended).rejects.toMatchObject({ code: 'MIGRATION_NOT_GRANTED', details: { code: 'CAP_DENIED' } })
  await expect(follow(from.move(vault, requestTo(b)))).rejects.toMatchObject({ code: 'HTTP_NOT_ALLOWED' })
  granted = true
  expect((await follow(from.move(vault, requestTo(b))))?.phase).toBe('complete')
})

test('asked for again when the vault has been handed on from there, it is no success', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 3 })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  const state = await follow(from.move(vault, requestTo(b)))
  const port = Number(new URL(b.url).port)
  await b.close()
  {
    await using left = await openVault(folder.at('b'), { choose: () => vault })
    await using target = await openMoveTarget(folder.at('c'))
    await moveTo(left, target)
  }
  await using again = await serve(folder.at('b'), { allow: [servers.place, client.key], port })
  const refused = { code: 'MIGRATION_SOURCE_REFUSED', details: { vault, state: 'retired' } }
  await expect(follow(from.move(vault, requestTo(again)))).rejects.toMatchObject(refused)
  expect((await from.moves(vault))[0]).toMatchObject({ migration_id: state?.migration, phase: 'complete' })
})

test('the other server is waited for as long as was asked for', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 1 })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  await b.close()
  const started = performance.now()
  const away = { code: 'HTTP_UNREACHABLE' }
  await expect(follow(from.move(vault, { ...requestTo(b), patience: 500 }))).rejects.toMatchObject(away)
  expect(performance.now() - started).toBeLessThan(10_000)
  const invalid = { code: 'HTTP_REQUEST_INVALID' }
  await expect(follow(from.move(vault, { ...requestTo(b), patience: 0 }))).rejects.toMatchObject(invalid)
})

test('whoever has a vault moved is told that the other server is away, and that it is back', async () => {
  await using folder = await scratch()
  await using servers = await twoServers(folder, { files: 1 })
  const { a, b, client, vault } = servers
  await using from = placeAt(a, client)
  const port = Number(new URL(b.url).port)
  await b.close()
  const told: DistantEvent[] = []
  let again: Promise<AsyncDisposable> | undefined
  for await (const event of from.move(vault, { ...requestTo(b), patience: 30_000 })) {
    told.push(event)
    if (event.type === 'away') again ??= serve(folder.at('b'), { allow: [servers.place, client.key], port })
  }
  await using _ = (await again) as AsyncDisposable
  const absence = told.filter(({ type }) => type === 'away' || type === 'back')
  expect(absence).toMatchObject([
    { type: 'away', url: b.url },
    { type: 'back', url: b.url },
  ])
  const [away] = absence
  const left = away?.type === 'away' ? Date.parse(away.until) - Date.now() : 0
  expect(left).toBeGreaterThan(10_000)
  expect(told.at(-1)).toMatchObject({ type: 'moved' })
})

test('what a server cannot open, and whom it does not let in, is said with the option that changes that', async () => {
  await using folder = await scratch()
  const client = anyKey()
  const vault = await createVault(folder.at('a'), { passphrase: 'three words more' })
  const { info } = await (async () => {
    await using place = await openPlace(folder.at('a'), { mode: 'read' })
    return place
  })()
  await using b = await serve(folder.at('b'), { allow: [info.key] })
  await using a = await serve(folder.at('a'), { moves: [client.key], moveTo: [b] })
  // Keys are opened slowly.
  await using from = httpPlace(a.url, { place: client, peerKey: a.key })
  await expect(follow(from.move(vault, requestTo(b)))).rejects.toMatchObject({
    code: 'KEY_PASSPHRASE',
    message: expect.stringContaining('"vaultctl serve --passphrase-file FILE"'),
  })
  await using stranger = placeAt(a, anyKey())
  await expect(follow(stranger.move(vault, requestTo(b)))).rejects.toMatchObject({
    code: 'HTTP_NOT_ALLOWED',
    message: expect.stringContaining('--allow-moves'),
  })
})
