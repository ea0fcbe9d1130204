import { encodeEnvelope, type Signer, type VaultId } from '@vault/core'
import {
  issuePlaceGrant,
  moveSourceOf,
  openPlace,
  openTarget,
  openVault,
  owner,
  type PlaceGrant,
  proofsOf,
  revokePlaceGrant,
  sourceOf,
  type Vault,
} from '@vault/embedded'
import { listMoves, type MoveEvent, moveVault, planMigration, resumeMove, runMigration } from '@vault/migration'
import { type HttpTarget, httpSource } from '@vault/migration/http'
import { describe, expect, test } from 'vitest'
import { anyKey, moveTo, reach, SHORT, scratch, serve, vaultIn } from './served.ts'

const operator = anyKey()
const trusting = { certificates: { trust: [operator.key] } }
const HOUR = 3_600_000
const soon = () => new Date(Date.now() + HOUR)
const refused = (code: string) => ({ code: 'HTTP_NOT_ALLOWED', details: { code } })

const codeOf = (error: unknown) => (error as { readonly code?: unknown }).code

/** A certificate of the operator, as it is shown. */
async function granted(grant: Partial<PlaceGrant> & Pick<PlaceGrant, 'to'>, by: Signer = operator) {
  const { id, envelope } = await issuePlaceGrant({ expires: soon(), ...grant }, by)
  return { id, bytes: encodeEnvelope(envelope) }
}

async function copyTo(vault: Vault, target: HttpTarget): Promise<number> {
  const parts = { source: sourceOf(vault), target, authorize: owner }
  for await (const event of runMigration(await planMigration(parts), parts)) {
    if (event.type === 'summary') return event.summary.sent.objects
  }
  throw new Error('The copy ended without a word.')
}

describe('a vault that is brought to a place', () => {
  test('moves by a certificate of a key that the place trusts, on any vault, and by one of the place itself', async () => {
    await using folder = await scratch()
    for (const name of ['trusted', 'own']) {
      const { vault, place } = await vaultIn(folder.at(`${name}-a`), 20)
      await using _ = vault
      await using server = await serve(folder.at(`${name}-b`), trusting)
      const by = name === 'own' ? await keyOfPlace(folder.at(`${name}-b`)) : operator
      const { bytes } = await granted({ to: place.key }, by)
      await using target = await reach(server, place, vault.id, { proofs: [bytes] })
      expect((await moveTo(vault, target)).phase).toBe('complete')
    }
  })

  test('by a chain of three, and not by a part of it', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 3)
    await using _ = vault
    await using server = await serve(folder.at('b'), trusting)
    const [first, second] = [anyKey(), anyKey()]
    const chain = [
      await granted({ to: first.key, delegate: true }),
      await granted({ to: second.key, delegate: true, vault: vault.id }, first),
      await granted({ to: place.key }, second),
    ].map(({ bytes }) => bytes)
    const [root = new Uint8Array(), ...rest] = chain
    await expect(reach(server, place, vault.id, { proofs: rest })).rejects.toMatchObject(refused('CAPS_NO_ROOT'))
    const fixed = await granted({ to: first.key })
    await expect(reach(server, place, vault.id, { proofs: [fixed.bytes, ...rest] })).rejects.toMatchObject(
      refused('CAPS_NOT_DELEGABLE'),
    )
    await using target = await reach(server, place, vault.id, { proofs: [...rest, root] })
    expect((await moveTo(vault, target)).phase).toBe('complete')
  })

  test('by nothing that does not hold: each says why, before a byte of the vault has been sent', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 3)
    await using _ = vault
    const { vault: other } = await vaultIn(folder.at('other'), 1)
    await using __ = other
    await using server = await serve(folder.at('b'), trusting)
    const to = place.key
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ['CAPS_EXPIRED', (await granted({ to, expires: new Date(Date.now() - 1) })).bytes],
      ['CAPS_NOT_YET', (await granted({ to, notBefore: soon(), expires: null })).bytes],
      ['CAPS_NOT_COVERED', (await granted({ to, vault: other.id })).bytes],
      ['CAPS_NO_ROOT', (await granted({ to }, anyKey())).bytes],
      ['CAPS_NO_CHAIN', (await granted({ to: anyKey().key })).bytes],
      // Where the vault is not, what it grants counts for nothing.
      ['CAPS_NO_ROOT', (await proofsOf(vault, 'write'))[0] ?? new Uint8Array()],
    ]
    for (const [code, bytes] of cases) {
      const shown = reach(server, place, vault.id, { proofs: [bytes] })
      await expect(shown, code).rejects.toMatchObject(refused(code))
    }
    await expect(reach(server, place, vault.id)).rejects.toMatchObject(refused('CAPS_NO_CHAIN'))
    await server.close()
    await using left = await openPlace(folder.at('b'), { mode: 'read' })
    expect(await left.soups.tenures.list()).toEqual([])
  })

  test('a good chain of another key is worth nothing', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 1)
    await using _ = vault
    await using server = await serve(folder.at('b'), trusting)
    const { bytes } = await granted({ to: place.key, vault: vault.id })
    await using __ = await reach(server, place, vault.id, { proofs: [bytes] })
    // Also when the server has it in mind for the other one.
    await expect(reach(server, anyKey(), vault.id, { proofs: [bytes] })).rejects.toMatchObject(refused('CAPS_NO_CHAIN'))
  })

  test('what is granted on any vault does not reach one that another key has brought', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 5)
    await using _ = vault
    const other = anyKey()
    await using server = await serve(folder.at('b'), trusting)
    const mine = (await granted({ to: place.key })).bytes
    const theirs = (await granted({ to: other.key })).bytes
    const elsewhere = await vaultIn(folder.at('c'), 1)
    await using __ = elsewhere.vault
    await using ___ = await reach(server, other, elsewhere.vault.id, { proofs: [theirs] })
    await using target = await reach(server, place, vault.id, { proofs: [mine] })
    await copyTo(vault, target)
    expect(await copyTo(vault, target)).toBe(0)
    await expect(reach(server, other, vault.id, { proofs: [theirs] })).rejects.toMatchObject(
      refused('CAPS_NOT_COVERED'),
    )
    const named = (await granted({ to: other.key, vault: vault.id })).bytes
    await using ____ = await reach(server, other, vault.id, { proofs: [named] })
  })

  test('what is granted on any vault reaches no further where it is granted on, narrowed to one', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 2)
    await using _ = vault
    const [other, second] = [anyKey(), anyKey()]
    await using server = await serve(folder.at('b'), trusting)
    await using target = await reach(server, place, vault.id, { proofs: [(await granted({ to: place.key })).bytes] })
    await copyTo(vault, target)
    const any = (await granted({ to: other.key, delegate: true })).bytes
    const narrowed = (await granted({ to: second.key, vault: vault.id }, other)).bytes
    await expect(reach(server, second, vault.id, { proofs: [any, narrowed] })).rejects.toMatchObject(
      refused('CAPS_NOT_COVERED'),
    )
    // In the order in which it is shown it makes no difference.
    await expect(reach(server, second, vault.id, { proofs: [narrowed, any] })).rejects.toMatchObject(
      refused('CAPS_NOT_COVERED'),
    )
    const named = (await granted({ to: other.key, vault: vault.id, delegate: true })).bytes
    await using __ = await reach(server, second, vault.id, { proofs: [narrowed, named] })
  })

  test('leave for one vault is none for another one', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 3)
    await using _ = vault
    const other = anyKey()
    const elsewhere = await vaultIn(folder.at('c'), 1)
    await using __ = elsewhere.vault
    await using server = await serve(folder.at('b'), trusting)
    const proofs = [(await granted({ to: place.key })).bytes]
    await using target = await reach(server, place, vault.id, { proofs })
    const theirs = [(await granted({ to: other.key })).bytes]
    const id = elsewhere.vault.id
    await using hers = await reach(server, other, id, { proofs: theirs })
    const source = await moveSourceOf(vault)
    const parts = { source, target, authorize: owner }
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    const migration = plan.migration_id
    const foreign = { code: 'MIGRATION_RECORD_FOREIGN' }
    const seen: string[] = []
    let phase: string | undefined
    for await (const event of moveVault(plan, parts)) {
      if (event.type === 'moved') phase = event.state.phase
      if (event.type !== 'step') continue
      const [state] = await listMoves(source.records)
      const { handoff, keyEvent } = state ?? {}
      if (event.step.effect === 'activate' && state && handoff && keyEvent) {
        await expect(hers.activate({ handoff, keyEvent })).rejects.toMatchObject({ code: 'HTTP_REQUEST_INVALID' })
        await expect(hers.decline({ vault: id, migration })).rejects.toMatchObject(foreign)
        seen.push('activate')
      }
      if (event.step.effect === 'conclude' && state) {
        await expect(hers.conclude({ ...state, vault: id })).rejects.toMatchObject(foreign)
        let reads = 0
        const named = Object.defineProperty({ ...state }, 'vault', {
          get: () => (reads++ === 0 ? id : vault.id),
          enumerable: true,
        })
        await expect(hers.conclude(named)).rejects.toMatchObject({ code: 'HTTP_REQUEST_INVALID' })
        seen.push('conclude')
      }
    }
    expect({ phase, seen }).toEqual({ phase: 'complete', seen: ['activate', 'conclude'] })
  })

  test.each(['any', 'named'])('once it is active there, its bringer reads nothing of it: %s', async (which) => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 3)
    await using _ = vault
    await using server = await serve(folder.at('b'), trusting)
    const grant = { to: place.key, ...(which === 'named' && { vault: vault.id }) }
    await using target = await reach(server, place, vault.id, { proofs: [(await granted(grant)).bytes] })
    const held = await target.look(vault.id)
    const ended = await moveTo(vault, target)
    await expect(target.look(vault.id)).rejects.toMatchObject(refused('CAPS_NOT_COVERED'))
    await expect(target.requireLeave(vault.id)).rejects.toMatchObject(refused('CAPS_NOT_COVERED'))
    await expect(
      held.objects
        .getMany([[vault.id]])
        [Symbol.asyncIterator]()
        .next(),
    ).rejects.toMatchObject(refused('CAPS_NOT_COVERED'))
    // The answer may have been lost.
    expect(await target.conclude(ended)).toEqual(ended.certificate)
  })

  test('where certificates do not count, only the list does', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 1)
    await using _ = vault
    await using server = await serve(folder.at('b'), {})
    const { bytes } = await granted({ to: place.key }, await keyOfPlace(folder.at('b')))
    const shown = reach(server, place, vault.id, { proofs: [bytes] })
    await expect(shown).rejects.toMatchObject({ code: 'HTTP_NOT_ALLOWED' })
  })
})

async function keyOfPlace(dir: string): Promise<Signer> {
  const { openKey } = await import('@vault/embedded')
  await using place = await openPlace(dir, { mode: 'read' })
  return await openKey({ dir: place.dir, role: 'place', key: place.info.key })
}

describe('a vault that is at a place', () => {
  test('lets its own place bring it up to date, and whom it grants it copy it from there', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 12)
    await using _ = vault
    const puller = await vaultIn(folder.at('c'), 1)
    await using __ = puller.vault
    const grant = { actions: ['migrate'], expires: soon() }
    await vault.issueCap({ to: puller.place.key, ...grant })
    const { id } = await (async () => {
      await using server = await serve(folder.at('b'), { allow: [place.key] })
      await using target = await reach(server, place, vault.id)
      await copyTo(vault, target)
      return vault
    })()
    await using server = await serve(folder.at('b'), { certificates: {} })
    // By the root certificate of the vault, which is nowhere but at its own place.
    await expect(reach(server, place, id)).rejects.toMatchObject(refused('CAPS_NO_CHAIN'))
    await using target = await reach(server, place, id, { proofs: await proofsOf(vault, 'write') })
    expect(await copyTo(vault, target)).toBe(0)

    const pull = { vault: id, peerKey: server.key, timeouts: SHORT }
    await expect(httpSource(server.url, { ...pull, place: anyKey() })).rejects.toMatchObject(refused('CAPS_NO_CHAIN'))
    await using source = await httpSource(server.url, { ...pull, place: puller.place })
    await using copied = await openTarget(folder.at('d'))
    const parts = { source, target: copied, authorize: owner }
    for await (const event of runMigration(await planMigration(parts), parts)) {
      if (event.type === 'summary') expect(event.summary.sent.objects).toBeGreaterThan(11)
    }
    // To migrate is not to write.
    await expect(reach(server, puller.place, id)).rejects.toMatchObject(refused('CAPS_NOT_COVERED'))
  })

  test('a revocation that has come with the vault counts, and one that was only made elsewhere does not yet', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 2)
    await using _ = vault
    const puller = anyKey()
    const issued = await vault.issueCap({ to: puller.key, actions: ['migrate'], expires: soon() })
    await using server = await serve(folder.at('b'), { allow: [place.key], certificates: {} })
    await using target = await reach(server, place, vault.id)
    await copyTo(vault, target)
    const pull = () => httpSource(server.url, { vault: vault.id, place: puller, peerKey: server.key, timeouts: SHORT })
    await using source = await pull()
    await vault.revokeCap({ certificate: issued.id })
    expect((await source.soup.tenure()).state).toBe('replica')
    await copyTo(vault, target)
    await expect(source.soup.tenure()).rejects.toMatchObject(refused('CAPS_REVOKED'))
    await expect(pull()).rejects.toMatchObject(refused('CAPS_REVOKED'))
  })

  test('refuses where it is to hear what was revoked and its set is old; the one that is shown is enough', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 2)
    await using _ = vault
    let now = Date.now()
    const clock = () => new Date(now)
    await vault.publishRevocations(new Date(now + HOUR))
    await using server = await serve(folder.at('b'), { allow: [place.key], certificates: {}, clock })
    {
      await using target = await reach(server, place, vault.id)
      await copyTo(vault, target)
    }
    await server.close()
    await using alone = await serve(folder.at('b'), { certificates: {}, clock })
    const old = await proofsOf(vault, 'write')
    await using _target = await reach(alone, place, vault.id, { proofs: old })
    now += 2 * HOUR
    await expect(reach(alone, place, vault.id, { proofs: old, clock })).rejects.toMatchObject(refused('CAPS_STALE'))
    await using later = await openVault(folder.at('a'), { clock })
    await later.publishRevocations(new Date(now + HOUR))
    await using target = await reach(alone, place, vault.id, { proofs: await proofsOf(later, 'write'), clock })
    expect((await target.look(vault.id)).tenure.state).toBe('replica')
  })
})

describe('a move whose leave ends', () => {
  /** Moves until `stop` says so, and gives with what it ended. */
  async function movedUntil(events: AsyncIterable<MoveEvent>, seen: (event: MoveEvent) => Promise<void>) {
    try {
      for await (const event of events) {
        await seen(event)
        if (event.type === 'moved') return event.state.phase
      }
    } catch (error) {
      return error
    }
    return undefined
  }

  const lost = (code: string) => ({ code: 'MIGRATION_NOT_GRANTED', details: { code } })

  async function begun(dir: (name: string) => string, files: number) {
    const { vault, place } = await vaultIn(dir('a'), files)
    const source = await moveSourceOf(vault)
    return { vault, place, source }
  }

  async function revoke(dir: string, id: string): Promise<void> {
    await using place = await openPlace(dir, { mode: 'write' })
    await revokePlaceGrant(place.soups.records, id as VaultId, operator)
  }

  test('by a revocation stops at the next batch, and a new grant ends it', async () => {
    await using folder = await scratch()
    const { vault, place, source } = await begun(folder.at, 60)
    await using _ = vault
    await using server = await serve(folder.at('b'), trusting)
    const { id, bytes } = await granted({ to: place.key })
    const reached = (proofs: readonly Uint8Array[]) => reach(server, place, vault.id, { proofs })
    await using target = await reached([bytes])
    const parts = { source, target, authorize: owner }
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    let batches = 0
    const ended = await movedUntil(moveVault(plan, parts), async ({ type }) => {
      if (type !== 'batch') return
      batches++
      await revoke(folder.at('b'), id)
    })
    expect(ended).toMatchObject(lost('CAPS_REVOKED'))
    expect(batches).toBe(1)
    const [stopped] = await listMoves(source.records)
    expect(stopped?.phase).toBe('paused')
    await expect(reached([bytes])).rejects.toMatchObject(refused('CAPS_REVOKED'))

    await using again = await reached([(await granted({ to: place.key })).bytes])
    const resumed = resumeMove(plan.migration_id, { ...parts, target: again })
    expect(await movedUntil(resumed, async () => {})).toBe('complete')
  })

  test.each(['prepare', 'sign', 'activate', 'conclude'] as const)('before %s', async (effect) => {
    await using folder = await scratch()
    const { vault, place, source } = await begun(folder.at, 4)
    await using _ = vault
    await using server = await serve(folder.at('b'), trusting)
    const { id, bytes } = await granted({ to: place.key })
    await using target = await reach(server, place, vault.id, { proofs: [bytes] })
    const parts = { source, target, authorize: owner }
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    const ended = await movedUntil(moveVault(plan, parts), async (event) => {
      if (event.type === 'step' && event.step.effect === effect) await revoke(folder.at('b'), id)
    })
    // Behind the signature the vault is active nowhere until the move has ended.
    if (effect === 'activate' || effect === 'conclude') return expect(ended).toBe('complete')
    expect(ended).toMatchObject(lost('CAPS_REVOKED'))
    expect((await vault.status()).tenure.state).toBe('active')
    await using again = await reach(server, place, vault.id, { proofs: [(await granted({ to: place.key })).bytes] })
    const resumed = resumeMove(plan.migration_id, { ...parts, target: again })
    expect(await movedUntil(resumed, async () => {})).toBe('complete')
  })

  test('a killed run whose leave has ended behind the signature is ended by who brought the vault', async () => {
    await using folder = await scratch()
    const { vault, place, source } = await begun(folder.at, 4)
    await using _ = vault
    await using server = await serve(folder.at('b'), trusting)
    const { id, bytes } = await granted({ to: place.key })
    const reached = () => reach(server, place, vault.id, { proofs: [bytes] })
    const parts = { source, authorize: owner }
    await using target = await reached()
    const plan = await planMigration({ ...parts, target }, { handoff: { keys: 'new' } })
    for await (const event of moveVault(plan, { ...parts, target })) {
      if (event.type === 'step' && event.step.effect === 'activate') break
    }
    await revoke(folder.at('b'), id)
    await expect(reach(server, anyKey(), vault.id, { proofs: [bytes] })).rejects.toMatchObject({
      code: 'HTTP_NOT_ALLOWED',
    })
    await using again = await reached()
    await expect(again.requireLeave(vault.id)).rejects.toMatchObject(refused('CAPS_REVOKED'))
    const resumed = resumeMove(plan.migration_id, { ...parts, target: again })
    expect(await movedUntil(resumed, async () => {})).toBe('complete')
  })

  test('behind the signature nobody becomes who brought the vault by asking for something else', async () => {
    await using folder = await scratch()
    const { vault, place, source } = await begun(folder.at, 4)
    await using _ = vault
    const other = anyKey()
    await using server = await serve(folder.at('b'), trusting)
    const { id, bytes } = await granted({ to: place.key })
    await using target = await reach(server, place, vault.id, { proofs: [bytes] })
    const parts = { source, target, authorize: owner }
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    for await (const event of moveVault(plan, parts)) {
      if (event.type === 'step' && event.step.effect === 'activate') break
    }
    const named = (await granted({ to: other.key, vault: vault.id })).bytes
    await using theirs = await reach(server, other, vault.id, { proofs: [named] })
    const keyEvents = await sourceOf(vault).keyEvents()
    const offer = { vault: vault.id, driver: 1, plan: vault.id, keys: 'new', epoch: 0, keyEvents } as const
    const asked: readonly (readonly [string | undefined, () => Promise<unknown>])[] = [
      ['HTTP_REQUEST_INVALID', () => theirs.accept({ ...offer, migration: '' })],
      ['MIGRATION_TARGET_REFUSED', () => theirs.accept({ ...offer, migration: '1'.repeat(32) })],
      ['MIGRATION_TARGET_REFUSED', () => theirs.receive({ ...offer, migration: '2'.repeat(32) })],
      ['MIGRATION_TARGET_REFUSED', () => theirs.receive({ ...offer, migration: plan.migration_id })],
      [undefined, () => theirs.accept({ ...offer, migration: plan.migration_id })],
    ]
    for (const [code, ask] of asked) expect(await ask().then(() => undefined, codeOf), code).toBe(code)
    await revoke(folder.at('b'), id)
    expect(await movedUntil(resumeMove(plan.migration_id, parts), async () => {})).toBe('complete')
  })

  test('a copy stops with the same code, and goes on', async () => {
    await using folder = await scratch()
    const { vault, place } = await vaultIn(folder.at('a'), 60)
    await using _ = vault
    await using server = await serve(folder.at('b'), trusting)
    const { id, bytes } = await granted({ to: place.key })
    await using target = await reach(server, place, vault.id, { proofs: [bytes] })
    const parts = { source: sourceOf(vault), target, authorize: owner }
    const run = async () => {
      for await (const event of runMigration(await planMigration(parts), parts)) {
        if (event.type === 'batch') await revoke(folder.at('b'), id)
      }
    }
    await expect(run()).rejects.toMatchObject(lost('CAPS_REVOKED'))
    await using again = await reach(server, place, vault.id, { proofs: [(await granted({ to: place.key })).bytes] })
    await copyTo(vault, again)
  })
})

test('a server that begins anew has forgotten what was shown, and is shown it again', async () => {
  await using folder = await scratch()
  const { vault, place } = await vaultIn(folder.at('a'), 3)
  await using _ = vault
  const server = await serve(folder.at('b'), trusting)
  const { bytes } = await granted({ to: place.key })
  await using target = await reach(server, place, vault.id, { proofs: [bytes] })
  await server.close()
  await using __ = await serve(folder.at('b'), { ...trusting, port: Number(new URL(server.url).port) })
  expect((await target.look(vault.id)).tenure.state).toBe('none')
  expect((await moveTo(vault, target)).phase).toBe('complete')
})
