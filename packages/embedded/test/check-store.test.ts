import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { casContract } from '@vault/cas/testing'
import { soupContract } from '@vault/soup/testing'
import { expect, test } from 'vitest'
import { checkStore } from '../src/index.ts'
import { scratch } from './scratch.ts'

test('runs every case over stores of its own and leaves nothing behind', async () => {
  await using folder = await scratch()
  await mkdir(folder.at('disk'))
  await writeFile(folder.at('disk/mine'), 'mine')
  const checks = await Array.fromAsync(checkStore(folder.at('disk')))
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
  expect(checks.map(({ store, name }) => `${store} ${name}`)).toEqual([
    ...casContract.map(({ name }) => `cas ${name}`),
    ...soupContract.map(({ name }) => `soup ${name}`),
  ])
  expect(await readdir(folder.at('disk'))).toEqual(['mine'])
})

test('says which promise is broken, and cleans up when it is left or stopped', async () => {
  await using folder = await scratch()
  await mkdir(folder.at('disk'))
  const seen = []
  for await (const check of checkStore(folder.at('disk'))) {
    seen.push(check)
    if (seen.length === 2) break
    // Takes the folder away in which the next case is to run.
    const [made] = await readdir(folder.at('disk'))
    await writeFile(folder.at('disk', made as string, '1'), 'in the way')
  }
  expect(seen.map(({ ok }) => ok)).toEqual([true, false])
  expect(seen[1]?.message).toContain('EEXIST')
  expect(await readdir(folder.at('disk'))).toEqual([])
  const reason = new Error('stop')
  await expect(Array.fromAsync(checkStore(folder.at('disk'), { signal: AbortSignal.abort(reason) }))).rejects.toBe(
    reason,
  )
  await expect(Array.fromAsync(checkStore(folder.at('absent')))).rejects.toMatchObject({ code: 'VAULT_INACCESSIBLE' })
  expect(await readdir(folder.at('disk'))).toEqual([])
})
