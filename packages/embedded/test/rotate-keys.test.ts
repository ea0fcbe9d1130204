import { readdir, rename, writeFile } from 'node:fs/promises'
import { createNoteSigner, openCheckpoint, signCheckpoint } from '@vault/audit-chain'
import { createKeyEvent, createSigner, type KeyId, nextKeyDigest, systemRandom } from '@vault/core'
import { adoptKeyEvent, moveVault, planMigration, resumeMove } from '@vault/migration'
import { describe, expect, test } from 'vitest'
import {
  createRoleKeys,
  createVault,
  type KeyRole,
  moveSourceOf,
  openKey,
  openMoveTarget,
  openVault,
  owner,
  seatOf,
} from '../src/index.ts'
import { scratch } from './scratch.ts'

const ALL: readonly KeyRole[] = ['identity', 'operators', 'log']
const bytes = (text: string) => new TextEncoder().encode(text)

async function soundLog(dir: string): Promise<number> {
  await using vault = await openVault(dir, { mode: 'read' })
  let size = 0
  for await (const step of vault.log.verify()) {
    expect(step.findings).toEqual([])
    size = step.size
  }
  return size
}

describe('rotateKeys', () => {
  test.each([
    ['KEY_EVENT_WITNESSES', ['log']],
    ['KEY_EVENT_COMMITMENT', ['identity', 'log']],
  ] as const)('makes no keys where the key event is refused that would bring them in (%s)', async (code, roles) => {
    await using space = await scratch()
    const dir = space.at('a')
    await createVault(dir, { passphrase: undefined })
    await using vault = await openVault(dir)
    const history = await vault.keys()
    const [key] = history.roles.identity.keys as [KeyId]
    const [identity, other] = [await openKey({ dir, role: 'identity', key }), createSigner(new Uint8Array(32).fill(7))]
    const witnesses = { keys: [other.key], threshold: 1 }
    const next = { digests: [nextKeyDigest(other.key)], threshold: 1 }
    const says = code === 'KEY_EVENT_WITNESSES' ? { witnesses } : { next }
    const draft = { history, why: 'rotate', roles: history.roles, ...says, at: new Date() } as const
    const keyEvent = await createKeyEvent(draft, [identity, other])
    await adoptKeyEvent(await seatOf(vault.place), { vault: vault.id, keyEvent })
    const files = await readdir(space.at('a', 'keys'))
    await expect(vault.rotateKeys({ roles })).rejects.toMatchObject({ code })
    expect(await readdir(space.at('a', 'keys'))).toEqual(files)
    expect((await vault.keys()).seq).toBe(1)
    // Whoever has the witness at hand needs nobody else; and a commitment binds the identity alone.
    const more = code === 'KEY_EVENT_WITNESSES' ? { identity: [identity, other] } : {}
    expect((await vault.rotateKeys({ roles: ['log'], ...more })).seq).toBe(2)
  })

  test('replaces every key, and all goes on: changes, the log, and a move', async () => {
    await using space = await scratch()
    const [a, b] = [space.at('a'), space.at('b')]
    await createVault(a, { passphrase: undefined })
    {
      await using vault = await openVault(a)
      await vault.put(bytes('before'))
      const before = await vault.keys()
      const after = await vault.rotateKeys({ roles: ALL, motivation: 'the laptop is gone' })
      expect(after.seq).toBe(1)
      for (const role of ALL) expect(after.roles[role].keys).not.toEqual(before.roles[role].keys)
      expect(await vault.keys()).toEqual(after)
      await vault.put(bytes('after'))
      await vault.rotateKeys({ roles: ['log'] })
      await vault.put(bytes('later'))
    }
    expect(await soundLog(a)).toBe(6)
    await using vault = await openVault(a)
    const entries = []
    for await (const page of (await vault.log.read()).entries()) entries.push(...page)
    expect(entries.map(({ entry }) => entry.action.verb)).toEqual([
      ...['vault-init', 'put', 'key-transition', 'put', 'key-transition', 'put'],
    ])
    expect(entries[2]?.entry.context?.motivation).toBe('the laptop is gone')
    await using target = await openMoveTarget(b)
    const parts = { source: await moveSourceOf(vault), target, authorize: owner }
    for await (const _ of moveVault(await planMigration(parts, { handoff: { keys: 'new' } }), parts));
    await soundLog(b)
    await using moved = await openVault(b)
    expect((await moved.keys()).events.map(({ why }) => why)).toEqual(['inception', 'rotate', 'rotate', 'migrate'])
    await moved.rotateKeys({ roles: ALL })
    await moved.put(bytes('there'))
    await moved.log.drain()
    await soundLog(b)
  })

  test('lets a retired log key sign nothing that came later', async () => {
    await using space = await scratch()
    const dir = space.at('a')
    await createVault(dir, { passphrase: undefined })
    await using vault = await openVault(dir)
    const old = (await vault.keys()).roles.log.keys[0]
    if (old === undefined) throw new Error('no log key')
    await vault.rotateKeys({ roles: ['log'] })
    await vault.log.drain()
    const { origin, keys } = await vault.log.identity()
    expect(keys.map(({ key, maxSize }) => [key === old, maxSize])).toEqual(
      keys.map(({ key }) => (key === old ? [true, 1] : [false, undefined])),
    )
    const { size, root } = await vault.log.read()
    expect(size).toBe(2)
    const signer = createNoteSigner({ name: origin, signer: await openKey({ dir, role: 'log', key: old }) })
    const forged = await signCheckpoint({ origin, size, root, extensions: [] }, [signer])
    expect(() => openCheckpoint(forged, { origin, keys })).toThrowError(
      expect.objectContaining({ code: 'AUDIT_CHECKPOINT_UNTRUSTED' }),
    )
  })

  test('is followed by whoever has the vault open meanwhile', async () => {
    await using space = await scratch()
    await createVault(space.at('a'), { passphrase: undefined })
    {
      await using other = await openVault(space.at('a'))
      await other.put(bytes('one'))
      await other.log.drain()
      {
        await using vault = await openVault(space.at('a'))
        // Waits for the log, behind it the key event.
        await other.put(bytes('two'))
        await vault.rotateKeys({ roles: ['log'] })
        await vault.put(bytes('three'))
        await vault.log.drain()
      }
      await other.put(bytes('four'))
      await other.log.drain()
    }
    expect(await soundLog(space.at('a'))).toBe(6)
  })

  test('is one event, however often its adoption is done again, and what died before it is of no account', async () => {
    await using space = await scratch()
    const dir = space.at('a')
    await createVault(dir, { passphrase: undefined })
    await using vault = await openVault(dir)
    const seat = await seatOf(vault.place)
    const history = await vault.keys()
    const identity = await seat.keys.signers('identity', history.roles.identity)
    const eventOf = async () => {
      const { log } = await createRoleKeys({ dir, roles: ['log'], passphrase: undefined, random: systemRandom })
      const roles = { ...history.roles, log: { keys: [log.key], threshold: 1 } }
      return await createKeyEvent({ history, why: 'rotate', roles, at: new Date() }, [...identity, log])
    }
    // Its maker died here: keys and an event that nobody has.
    await eventOf()
    const keyEvent = await eventOf()
    const first = await adoptKeyEvent(seat, { vault: vault.id, keyEvent })
    expect(await adoptKeyEvent(seat, { vault: vault.id, keyEvent })).toEqual(first)
    expect(first.seq).toBe(1)
    // Another one over the same keys comes too late.
    await expect(adoptKeyEvent(seat, { vault: vault.id, keyEvent: await eventOf() })).rejects.toMatchObject({
      code: 'KEY_EVENT_INVALID',
    })
    await vault.log.drain()
    expect(await soundLog(dir)).toBe(2)
  })

  test('changes nothing without the identity, or with a wrong passphrase', async () => {
    await using space = await scratch()
    const dir = space.at('a')
    await createVault(dir, { passphrase: 'correct horse' })
    await using vault = await openVault(dir)
    const names = await readdir(space.at('a/keys'))
    const refuse = async (passphrase: string, code: string) => {
      const given = { roles: ALL, passphrase: async () => passphrase }
      await expect(vault.rotateKeys(given)).rejects.toMatchObject({ code })
      expect((await vault.keys()).seq).toBe(0)
    }
    await refuse('wrong', 'KEY_PASSPHRASE')
    const file = names.find((name) => name.startsWith('identity-')) as string
    await rename(space.at('a/keys', file), space.at('away'))
    await refuse('correct horse', 'KEY_IDENTITY_MISSING')
    await rename(space.at('away'), space.at('a/keys', file))
    expect(await readdir(space.at('a/keys'))).toEqual(names)
    const { roles } = await vault.rotateKeys({ roles: ['identity'], passphrase: async () => 'correct horse' })
    const key = roles.identity.keys[0] as (typeof roles.identity.keys)[number]
    await openKey({ dir, role: 'identity', key, passphrase: 'correct horse' })
  })

  test('waits for a move that is under way, and one that agreed upon other keys is not handed off', async () => {
    await using space = await scratch()
    await createVault(space.at('a'), { passphrase: undefined })
    await using vault = await openVault(space.at('a'))
    await vault.put(bytes('content'))
    await using target = await openMoveTarget(space.at('b'))
    const parts = { source: await moveSourceOf(vault), target, authorize: owner }
    const plan = await planMigration(parts, { handoff: { keys: 'new' } })
    for await (const event of moveVault(plan, parts)) if (event.type === 'step' && event.step.effect === 'copy') break
    const { roles } = await vault.keys()
    await expect(vault.rotateKeys({ roles: ['identity'] })).rejects.toMatchObject({ code: 'MIGRATION_UNFINISHED' })
    expect((await vault.keys()).roles).toEqual(roles)
    // Somebody whose software does not look.
    const { records } = vault.place.soups
    const key = `migration/${plan.migration_id}/state`
    const record = await records.read(key)
    if (record === undefined) throw new Error('no record of the move')
    const away = await records.swap(key, record.version, undefined)
    await vault.rotateKeys({ roles: ['identity'] })
    await records.swap(key, 0, record.bytes).catch(() => records.swap(key, away, record.bytes))
    const resumed = async () => {
      for await (const _ of resumeMove(plan.migration_id, parts));
    }
    await expect(resumed()).rejects.toMatchObject({ code: 'MIGRATION_KEYS_REPLACED' })
    // It takes changes again: nobody is kept waiting for a move that cannot go on.
    expect((await vault.soup.tenure()).state).toBe('active')
  })

  test('is refused where the vault is no longer active', async () => {
    await using space = await scratch()
    await createVault(space.at('a'), { passphrase: undefined })
    await using vault = await openVault(space.at('a'))
    await writeFile(space.at('file'), 'x')
    await using target = await openMoveTarget(space.at('b'))
    const parts = { source: await moveSourceOf(vault), target, authorize: owner }
    for await (const _ of moveVault(await planMigration(parts, { handoff: { keys: 'new' } }), parts));
    await expect(vault.rotateKeys({ roles: ['log'] })).rejects.toMatchObject({ code: 'VAULT_MOVED' })
  })
})
