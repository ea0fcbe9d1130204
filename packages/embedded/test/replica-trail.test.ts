import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { VaultId } from '@vault/core'
import { planMigration, runMigration, type TrailSource } from '@vault/migration'
import { expect, test } from 'vitest'
import { createVault, openPlace, openTarget, openVault, owner, repairVault, sourceOf, targetAt } from '../src/index.ts'
import { scratch } from './scratch.ts'

type Space = Awaited<ReturnType<typeof scratch>>

async function vaultOf(space: Space, puts: number): Promise<{ readonly dir: string; readonly id: VaultId }> {
  const dir = space.at('vault')
  const id = await createVault(dir, { passphrase: undefined })
  await putMore(dir, puts)
  return { dir, id }
}

async function putMore(dir: string, puts: number): Promise<void> {
  await using vault = await openVault(dir)
  for (let i = 0; i < puts; i++) await vault.put(Buffer.from(`content ${i} of ${puts}`))
}

async function copy(from: string, to: string): Promise<void> {
  await using vault = await openVault(from, { mode: 'read' })
  await using target = await openTarget(to)
  const parts = { source: sourceOf(vault), target, authorize: owner }
  await Array.fromAsync(runMigration(await planMigration(parts), parts))
}

async function headOf(dir: string): Promise<{ readonly size: number; readonly root: string }> {
  await using vault = await openVault(dir, { mode: 'read' })
  const { size, root } = await vault.log.read()
  return { size, root: Buffer.from(root).toString('hex') }
}

async function findingsOf(dir: string): Promise<readonly string[]> {
  await using vault = await openVault(dir, { mode: 'read' })
  const last = (await Array.fromAsync(vault.scrub())).at(-1)
  if (last?.type !== 'report') throw new Error('no report')
  return last.damaged.map(({ code }) => code)
}

test('a replica has the audit trail, and an update continues it', async () => {
  await using space = await scratch()
  const { dir } = await vaultOf(space, 5)
  await copy(dir, space.at('replica'))
  expect(await headOf(space.at('replica'))).toEqual(await headOf(dir))
  await putMore(dir, 300)
  await copy(dir, space.at('replica'))
  const head = await headOf(dir)
  expect(head.size).toBeGreaterThan(300)
  expect(await headOf(space.at('replica'))).toEqual(head)
  expect(await findingsOf(space.at('replica'))).toEqual([])
})

test('the log of a vault heals from its replica', async () => {
  await using space = await scratch()
  const { dir, id } = await vaultOf(space, 300)
  await copy(dir, space.at('replica'))
  const bundle = join(dir, 'log', id, 'tile/entries/000')
  const sound = await readFile(bundle)
  await rm(bundle)
  expect(await findingsOf(dir)).toContain('AUDIT_MISSING')
  await Array.fromAsync(repairVault(dir, { from: space.at('replica') }))
  expect(await readFile(bundle)).toEqual(sound)
  expect(await findingsOf(dir)).toEqual([])
})

test('a trail that was changed at the source is not copied, and the copy is not finished', async () => {
  await using space = await scratch()
  const { dir, id } = await vaultOf(space, 20)
  const folder = join(dir, 'log', id, 'tile/entries/000.p')
  const last = String(Math.max(...(await readdir(folder)).map(Number)))
  const bytes = await readFile(join(folder, last))
  const at = bytes.indexOf('put')
  bytes[at] = (bytes[at] as number) ^ 1
  await writeFile(join(folder, last), bytes)
  await expect(copy(dir, space.at('replica'))).rejects.toMatchObject({ code: 'AUDIT_TAMPERED' })
  await using place = await openVault(space.at('replica'), { mode: 'read' })
  expect((await place.soup.tenure()).state).toBe('receiving')
  expect((await place.log.read()).size).toBe(0)
})

test('a trail whose end only a retired log key has signed is not taken', async () => {
  await using space = await scratch()
  const { dir } = await vaultOf(space, 3)
  await cp(dir, space.at('before'), { recursive: true })
  {
    await using vault = await openVault(dir)
    await vault.rotateKeys({ roles: ['log'] })
  }
  await using vault = await openVault(dir, { mode: 'read' })
  await using before = await openVault(space.at('before'), { mode: 'read' })
  await using target = await openTarget(space.at('replica'))
  const source: TrailSource = { ...sourceOf(vault), trail: sourceOf(before).trail }
  const parts = { source, target, authorize: owner }
  const run = Array.fromAsync(runMigration(await planMigration(parts), parts))
  await expect(run).rejects.toMatchObject({ code: 'MIGRATION_TARGET_REFUSED' })
})

test('a trail goes into no place where the vault is active', async () => {
  await using space = await scratch()
  const { dir, id } = await vaultOf(space, 3)
  await cp(dir, space.at('copy'), { recursive: true })
  await putMore(dir, 3)
  await using vault = await openVault(dir, { mode: 'read' })
  const head = await headOf(space.at('copy'))
  await using place = await openPlace(space.at('copy'), { mode: 'write' })
  const trail = await sourceOf(vault).trail()
  if (trail === undefined) throw new Error('there is one')
  const keyEvents = await place.soups.tenures.keyEvents(id)
  await expect(targetAt(place).receiveTrail({ vault: id, keyEvents, trail })).rejects.toMatchObject({
    code: 'MIGRATION_TARGET_REFUSED',
  })
  expect(await headOf(space.at('copy'))).toEqual(head)
})
