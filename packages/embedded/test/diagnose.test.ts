import { chmod, cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Check, diagnose, openTarget, openVault, repairVault } from '../src/index.ts'
import { openPlace } from '../src/place.ts'
import { filledVault, scratch, snapshot } from './scratch.ts'

async function wrongOf(dir: string, stateDir?: string): Promise<readonly Check[]> {
  const before = await snapshot(dir).catch(() => ({}))
  const { ok, checks } = await diagnose(dir, stateDir === undefined ? {} : { stateDir })
  expect(await snapshot(dir).catch(() => ({}))).toEqual(before)
  const wrong = checks.filter((check) => !check.ok)
  expect(ok).toBe(wrong.length === 0)
  for (const { lost, advice } of wrong) expect([typeof lost, typeof advice]).toEqual(['string', 'string'])
  return wrong
}

/** Files of the folder whose name begins like this. */
async function named(dir: string, folder: string, start: string): Promise<string> {
  const name = (await readdir(join(dir, folder))).find((file) => file.startsWith(start))
  return join(dir, folder, name as string)
}

async function flip(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[offset] = (bytes[offset] as number) ^ 0x10
  await writeFile(path, bytes)
}

/** Each way to harm a vault, and what is found: the checks with what is lost. */
const HARMS: Readonly<Record<string, { harm: (dir: string) => Promise<void>; found: readonly (readonly string[])[] }>> =
  {
    nothing: { harm: async () => {}, found: [] },
    'vault.json flipped': { harm: (dir) => flip(join(dir, 'vault.json'), 4), found: [['vault.json', 'no']] },
    'vault.json removed': { harm: (dir) => rm(join(dir, 'vault.json')), found: [['vault.json', 'no']] },
    'vault.json of another format': {
      harm: (dir) => writeFile(join(dir, 'vault.json'), '{"format":"vault-place","version":2}'),
      found: [['vault.json', 'no']],
    },
    'checksums removed': {
      harm: (dir) => rm(join(dir, 'SHA256SUMS')),
      found: [['checksums', 'no'], ['vault.json', 'no'], ...Array.from({ length: 4 }, () => ['checksums', 'no'])],
    },
    'a key that has no checksum': {
      harm: async (dir) => {
        const sums = await readFile(join(dir, 'SHA256SUMS'), 'latin1')
        await writeFile(join(dir, 'SHA256SUMS'), sums.replace(/^.*keys\/identity-.*\n/m, ''))
      },
      found: [['checksums', 'no']],
    },
    'soup.sqlite removed': { harm: (dir) => rm(join(dir, 'soup.sqlite')), found: [['soup.sqlite', 'here']] },
    'soup.sqlite emptied': { harm: (dir) => truncate(join(dir, 'soup.sqlite'), 0), found: [['soup.sqlite', 'here']] },
    'soup.sqlite flipped': { harm: (dir) => flip(join(dir, 'soup.sqlite'), 3), found: [['soup.sqlite', 'here']] },
    'a key for all to read': {
      harm: async (dir) => await chmod(await named(dir, 'keys', 'log'), 0o644),
      found: [['keys', 'no']],
    },
    'a damaged key': {
      harm: async (dir) => await truncate(await named(dir, 'keys', 'log'), 20),
      found: [
        ['checksums', 'key'],
        ['keys', 'key'],
      ],
    },
    'no keys': {
      harm: async (dir) => {
        await rm(join(dir, 'keys'), { recursive: true })
        await mkdir(join(dir, 'keys'))
      },
      found: [...Array.from({ length: 4 }, () => ['checksums', 'key']), ['keys', 'key']],
    },
    'packs removed': { harm: (dir) => rm(join(dir, 'objects'), { recursive: true }), found: [['packs', 'here']] },
    'the log removed': { harm: (dir) => rm(join(dir, 'log'), { recursive: true }), found: [['log', 'old']] },
    'a damaged head': {
      harm: async (dir) => await truncate(join(await named(dir, 'log', 'ba'), 'checkpoint'), 30),
      found: [['log', 'no']],
    },
  }

describe('a diagnosis', () => {
  for (const [what, { harm, found }] of Object.entries(HARMS)) {
    test(`of ${what}`, async () => {
      await using space = await scratch()
      const dir = space.at('v')
      await filledVault(dir)
      await harm(dir)
      expect((await wrongOf(dir)).map(({ name, lost }) => [name, lost])).toEqual(found)
    })
  }

  test('of a key that was put back leads to a sound place', async () => {
    await using space = await scratch()
    const dir = space.at('v')
    await filledVault(dir)
    const file = await named(dir, 'keys', 'identity-')
    const key = await readFile(file)
    await rm(file)
    // Listed no more, as where a place never had it.
    const sums = await readFile(join(dir, 'SHA256SUMS'), 'latin1')
    await writeFile(join(dir, 'SHA256SUMS'), sums.replace(/^.*keys\/identity-.*\n/m, ''))
    await writeFile(file, key, { mode: 0o600 })
    const [found, ...others] = await wrongOf(dir)
    expect(others).toEqual([])
    expect(found?.advice).toBe(`vaultctl verify ${dir} --repair`)
    for await (const _ of repairVault(dir));
    expect(await wrongOf(dir)).toEqual([])
  })

  test('of no vault, and of no folder', async () => {
    await using space = await scratch()
    await mkdir(space.at('empty'))
    for (const name of ['empty', 'nowhere']) {
      expect(await wrongOf(space.at(name))).toMatchObject([{ name: 'folder', lost: 'unknown' }])
    }
  })

  test('of an old copy, and of a damaged mark', async () => {
    await using space = await scratch()
    const [dir, old, stateDir] = [space.at('v'), space.at('old'), space.at('state')]
    await filledVault(dir)
    await cp(dir, old, { recursive: true })
    {
      await using vault = await openVault(dir, { stateDir })
      await vault.put(Buffer.from('newer'))
    }
    expect(await wrongOf(dir, stateDir)).toEqual([])
    expect((await wrongOf(old, stateDir)).map(({ name, lost }) => [name, lost])).toContainEqual(['log', 'old'])
    const [instance] = await readdir(join(stateDir, 'marks'))
    const mark = (await readdir(join(stateDir, 'marks', instance as string))).find((name) => name.endsWith('.mark'))
    await truncate(join(stateDir, 'marks', instance as string, mark as string), 9)
    expect(await wrongOf(dir, stateDir)).toMatchObject([{ name: 'log', lost: 'no' }])
  })

  test('of a place that waits for a vault, and of one that is being received', async () => {
    await using space = await scratch()
    await filledVault(space.at('v'))
    await (await openTarget(space.at('to')))[Symbol.asyncDispose]()
    expect(await wrongOf(space.at('to'))).toEqual([])
    {
      await using vault = await openVault(space.at('v'), { mode: 'read' })
      await using place = await openPlace(space.at('to'), { mode: 'write' })
      const keyEvents = await vault.place.soups.tenures.keyEvents(vault.id)
      const to = { state: 'receiving', epoch: 0, migration: 'a'.repeat(32), keyEvents } as const
      await place.soups.tenures.transition(vault.id, { state: 'none', epoch: 0 }, to)
    }
    expect(await wrongOf(space.at('to'))).toMatchObject([{ name: 'tenure', lost: 'no' }])
  })

  test('of a place whose soup was put in the place of the one that its packs belong to', async () => {
    await using space = await scratch()
    await filledVault(space.at('v'))
    await (await openTarget(space.at('to')))[Symbol.asyncDispose]()
    await cp(space.at('v', 'objects'), space.at('to', 'objects'), { recursive: true })
    expect(await wrongOf(space.at('to'))).toMatchObject([{ name: 'tenure', lost: 'unknown' }])
  })
})
