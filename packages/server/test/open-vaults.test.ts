import { rename } from 'node:fs/promises'
import type { Vault } from '@vault/embedded'
import { expect, test } from 'vitest'
import { OpenVaults } from '../src/open-vaults.ts'
import { anyKey, scratch, vaultIn } from './served.ts'

test('a vault that has to make room is closed when the last who uses it has ended', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 1)
  const { id } = vault
  await vault[Symbol.asyncDispose]()
  const vaults = new OpenVaults(folder.at('a'), 1)
  const [one, other] = [anyKey().key, anyKey().key]
  const isOpen = ({ place }: Vault) =>
    place.objects.hasMany([]).then(
      () => true,
      () => false,
    )
  const [holding, going] = [Promise.withResolvers<Vault>(), Promise.withResolvers<void>()]
  const used = vaults.use(id, one, async (opened) => {
    holding.resolve(opened)
    await going.promise
    return await isOpen(opened)
  })
  const first = await holding.promise
  // Twice at the same time, it is open once.
  expect(await vaults.use(id, one, async (opened) => opened === first)).toBe(true)
  const second = await vaults.use(id, other, async (opened) => opened)
  expect(await isOpen(first)).toBe(true)
  expect(await isOpen(second)).toBe(true)
  going.resolve()
  expect(await used).toBe(true)
  expect(await isOpen(first)).toBe(false)
  const third = await vaults.use(id, one, async (opened) => opened)
  expect([await isOpen(second), await isOpen(third)]).toEqual([false, true])
  await vaults.close()
  expect(await isOpen(third)).toBe(false)
})

test('one that cannot be opened is tried again', async () => {
  await using folder = await scratch()
  const key = anyKey().key
  const vaults = new OpenVaults(folder.at('a'))
  const { vault } = await vaultIn(folder.at('b'), 1)
  const { id } = vault
  await vault[Symbol.asyncDispose]()
  const opens = () => vaults.use(id, key, async () => 'open')
  await expect(opens()).rejects.toMatchObject({ code: expect.stringMatching(/^VAULT_/) })
  await rename(folder.at('b'), folder.at('a'))
  expect(await opens()).toBe('open')
  await vaults.close()
})
