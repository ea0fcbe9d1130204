import { createKeyEvent, decodeEnvelope, encodeEnvelope, utf8 } from '@vault/core'
import { planMigration, runMigration } from '@vault/migration'
import { expect, test } from 'vitest'
import { createVault, openTarget, openVault, owner, restoreFromBackup, sourceOf } from '../src/index.ts'
import { openHeldKey } from '../src/keystore.ts'
import { scratch } from './scratch.ts'

async function copy(from: string, to: string): Promise<void> {
  await using vault = await openVault(from, { mode: 'read' })
  await using target = await openTarget(to)
  const parts = { source: sourceOf(vault), target, authorize: owner }
  await Array.fromAsync(runMigration(await planMigration(parts), parts))
}

/** The standing of the vault in a folder, and whether it has ended as far as is known there. */
async function standing(dir: string): Promise<{ state: string; epoch: number; ended: boolean; waiting: number }> {
  await using vault = await openVault(dir, { mode: 'read' })
  const { tenure, ended, log } = await vault.status()
  return { state: tenure.state, epoch: tenure.epoch, ended, waiting: log.waiting }
}

const refusal = expect.objectContaining({ code: 'VAULT_RETIRED', details: { sequence: 1 } })

test('a vault that ends is ended with its last key event, for whoever has it open too', async () => {
  await using space = await scratch()
  const dir = space.at('vault')
  await createVault(dir, { passphrase: undefined })
  {
    await using vault = await openVault(dir)
    await using other = await openVault(dir)
    const id = await vault.put(utf8('kept'))
    await vault.retire({ motivation: 'archived' })
    expect(await vault.soup.tenure()).toMatchObject({ state: 'ended', epoch: 0 })
    for (const open of [vault, other]) {
      await expect(open.put(utf8('more'))).rejects.toEqual(refusal)
      await expect(open.rotateKeys({ roles: ['log'] })).rejects.toEqual(refusal)
      await expect(open.retire()).rejects.toEqual(refusal)
      expect(await open.get(id)).toEqual(utf8('kept'))
    }
  }
  await using vault = await openVault(dir)
  expect((await Array.fromAsync(vault.log.verify())).at(-1)).toEqual({ checked: 3, size: 3, findings: [] })
  expect(await standing(dir)).toEqual({ state: 'ended', epoch: 0, ended: true, waiting: 0 })
})

test('a copy of a vault that has ended is a replica and knows it, and nothing is received over the one that ended', async () => {
  await using space = await scratch()
  const [dir, to, other] = [space.at('vault'), space.at('copy'), space.at('other')]
  await createVault(dir, { passphrase: undefined })
  await copy(dir, to)
  expect(await standing(to)).toMatchObject({ state: 'replica', ended: false })
  {
    await using vault = await openVault(dir)
    await vault.retire()
  }
  await copy(dir, to)
  const replica = { state: 'replica', epoch: 0, ended: true, waiting: 0 }
  expect(await standing(to)).toEqual(replica)
  {
    await using opened = await openVault(to)
    expect((await opened.soup.tenure()).state).toBe('replica')
  }
  await expect(copy(to, dir)).rejects.toMatchObject({ code: 'MIGRATION_TARGET_REFUSED', details: { state: 'ended' } })
  await createVault(other, { passphrase: undefined })
  await expect(copy(other, dir)).rejects.toMatchObject({ code: 'MIGRATION_TARGET_NOT_EMPTY' })
  expect(await standing(dir)).toMatchObject({ state: 'ended' })
})

test('what an earlier version left active is ended once it is opened to write', async () => {
  await using space = await scratch()
  const dir = space.at('vault')
  await createVault(dir, { passphrase: undefined })
  {
    await using vault = await openVault(dir)
    const history = await vault.keys()
    const identity = await openHeldKey({ dir, role: 'identity', keys: history.roles.identity.keys })
    const draft = { history, why: 'retire', roles: history.roles, at: new Date() } as const
    const event = encodeEnvelope(await createKeyEvent(draft, [identity]))
    const { tenures } = vault.place.soups
    const known = (await tenures.keyEvents(vault.id)).map((bytes) => encodeEnvelope(decodeEnvelope(bytes)))
    const from = { state: 'active', epoch: 0 } as const
    await tenures.transition(vault.id, from, { ...from, epoch: 1, keyEvents: [...known, event] })
  }
  expect(await standing(dir)).toMatchObject({ state: 'active', epoch: 1, ended: true })
  const opened = await Promise.all([openVault(dir), openVault(dir)])
  for (const vault of opened) {
    await expect(vault.put(utf8('more'))).rejects.toEqual(refusal)
    await vault[Symbol.asyncDispose]()
  }
  expect(await standing(dir)).toMatchObject({ state: 'ended', epoch: 1, ended: true })
})

test('a backup of a vault that has ended stays what it is', async () => {
  await using space = await scratch()
  const dir = space.at('vault')
  await createVault(dir, { passphrase: undefined })
  {
    await using vault = await openVault(dir)
    await vault.retire()
  }
  expect((await restoreFromBackup(dir, { withoutMark: true })).tenure.state).toBe('ended')
})
