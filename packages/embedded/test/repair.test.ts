import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { planMigration, runMigration } from '@vault/migration'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  createVault,
  openTarget,
  openVault,
  owner,
  type RepairOptions,
  type RepairReport,
  repairVault,
  sourceOf,
} from '../src/index.ts'
import { scratch, snapshot } from './scratch.ts'

type Space = Awaited<ReturnType<typeof scratch>>

const text = (n: number) => `content of file ${n} `.repeat(20)

/** A vault in several sessions, so that it has several packs and an index; and a replica of it. */
async function sample(space: Space): Promise<{ readonly dir: string; readonly replica: string }> {
  const dir = space.at('vault')
  await createVault(dir, { passphrase: undefined })
  await mkdir(space.at('tree'))
  for (let i = 0; i < 40; i++) await writeFile(space.at('tree', `file-${i}`), text(i))
  await writeFile(space.at('tree/large'), Buffer.alloc(2_500_000, 'large file '))
  {
    await using vault = await openVault(dir)
    await Array.fromAsync(vault.putFiles([space.at('tree')]))
  }
  for (let i = 0; i < 66; i++) {
    await using vault = await openVault(dir)
    await vault.put(Buffer.from(`session ${i}`))
  }
  await copyTo(dir, space.at('replica'))
  return { dir, replica: space.at('replica') }
}

/** A copy without hand-off, as `vault-migrate run --no-handoff` makes it. */
async function copyTo(from: string, to: string): Promise<void> {
  await using vault = await openVault(from, { mode: 'read' })
  await using target = await openTarget(to)
  const plan = await planMigration({ source: sourceOf(vault), target, authorize: owner })
  await Array.fromAsync(runMigration(plan, { source: sourceOf(vault), target, authorize: owner }))
}

async function repair(dir: string, options: RepairOptions = {}): Promise<RepairReport> {
  const last = (await Array.fromAsync(repairVault(dir, options))).at(-1)
  if (last?.type !== 'report') throw new Error('no report')
  return last
}

async function filesUnder(dir: string): Promise<readonly string[]> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true })
  return found.filter((file) => file.isFile()).map((file) => relative(dir, join(file.parentPath, file.name)))
}

async function flip(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[offset] = (bytes[offset] as number) ^ 0x10
  await writeFile(path, bytes)
}

/** The pack that has these bytes. */
async function packWith(dir: string, needle: string): Promise<{ readonly path: string; readonly at: number }> {
  for (const name of await readdir(join(dir, 'objects'))) {
    if (!name.endsWith('.pack')) continue
    const at = (await readFile(join(dir, 'objects', name))).indexOf(needle)
    if (at >= 0) return { path: join(dir, 'objects', name), at }
  }
  throw new Error(`No pack has ${needle}.`)
}

const ACTS: Readonly<Record<string, (path: string) => Promise<void>>> = {
  flip: async (path) => await flip(path, Math.floor((await readFile(path)).length / 2)),
  'flip the beginning of': async (path) => await flip(path, 5),
  'flip the end of': async (path) => await flip(path, (await readFile(path)).length - 3),
  truncate: async (path) => await truncate(path, Math.floor((await readFile(path)).length / 2)),
  empty: async (path) => await truncate(path, 0),
  remove: (path) => rm(path),
}

let space: Space
let vault: string
let replica: string

beforeAll(async () => {
  space = await scratch()
  ;({ dir: vault, replica } = await sample(space))
  return async () => await space[Symbol.asyncDispose]()
}, 120_000)

/** A copy that may be damaged. */
async function damagedCopy(name: string, damage: (dir: string) => Promise<void>): Promise<string> {
  const dir = space.at(name.replace(/\W/g, '-'))
  await rm(dir, { recursive: true, force: true })
  await cp(vault, dir, { recursive: true })
  await damage(dir)
  return dir
}

describe('a repair', () => {
  test('leaves a sound vault as it is', async () => {
    const dir = await damagedCopy('sound', async () => {})
    const before = await snapshot(dir)
    expect(await repair(dir, { from: replica })).toMatchObject({
      ok: true,
      repaired: [],
      lost: [],
      damaged: [],
      aside: [],
    })
    expect(await snapshot(dir)).toEqual(before)
  })

  for (const [act, damage] of Object.entries(ACTS)) {
    test(`heals packs and indexes from a replica: ${act}`, async () => {
      const { path } = await packWith(vault, text(7))
      const index = (await filesUnder(join(vault, 'objects/index'))).map((name) => `objects/index/${name}`)
      expect(index.length).toBeGreaterThan(0)
      for (const file of [relative(vault, path), ...index]) {
        const dir = await damagedCopy(`${act} ${file}`, (copy) => damage(join(copy, file)))
        const first = await repair(dir, { from: replica })
        // Blocks that the log names move with the log, and a replica has none: a whole pack that is gone takes them along.
        expect([file, first.lost.filter(({ names }) => names.length > 0)]).toEqual([file, []])
        const { ok, damaged, notes } = first.ok ? first : await repair(dir, { from: vault })
        const { repaired } = first
        expect([file, ok, damaged]).toEqual([file, true, []])
        // What is left of a segment that was kept for the sake of a lost block is no more than a write that was cut short.
        expect(notes.filter(({ code }) => code !== 'CAS_UNACKNOWLEDGED')).toEqual([])
        // A missing index is made anew from the packs, and nobody misses it.
        if (act !== 'remove' || !file.includes('index')) expect([file, repaired.length > 0]).toEqual([file, true])
        await using opened = await openVault(dir)
        const names = (await Array.fromAsync(opened.files())).flat()
        expect(names).toHaveLength(41)
        for (const { object } of names) await Array.fromAsync(opened.read(object))
        await opened.put(Buffer.from('it can be written'))
      }
    })

    test(`heals the log from another copy, and derived files of it without one: ${act}`, async () => {
      const log = (await filesUnder(join(vault, 'log'))).map((name) => `log/${name}`)
      const latest = (name: string) =>
        log
          .filter((file) => new RegExp(name).test(file))
          .sort((a, b) => number(a) - number(b))
          .at(-1)
      const files = ['/checkpoint$', 'checkpoints/', 'tile/0/', 'tile/entries/', String.raw`\.state/head`].map(latest)
      for (const file of files as readonly string[]) {
        const dir = await damagedCopy(`${act} ${file.slice(-20)}`, (copy) => damage(join(copy, file)))
        const report = await repair(dir, { from: vault })
        expect([file, report.ok, report.damaged]).toEqual([file, true, []])
        await using opened = await openVault(dir)
        await opened.put(Buffer.from('it can be written'))
      }
      const tile = await damagedCopy(`${act} tile`, (copy) => damage(join(copy, latest('tile/0/') as string)))
      const alone = await repair(tile)
      expect([alone.ok, alone.repaired.length > 0]).toEqual([true, true])
    })
  }

  test('names what neither place has, with its files, and heals the rest', async () => {
    const lose = async (dir: string, n: number) => {
      const { path, at } = await packWith(dir, text(n))
      await flip(path, at + 3)
    }
    const dir = await damagedCopy('both', async (copy) => {
      await lose(copy, 3)
      await lose(copy, 4)
    })
    const other = space.at('other-damaged')
    await cp(replica, other, { recursive: true })
    await lose(other, 3)
    const report = await repair(dir, { from: other })
    expect(report).toMatchObject({ ok: false, lost: [{ code: 'CAS_CORRUPT' }] })
    expect(report.lost).toHaveLength(1)
    expect(report.lost[0]?.names).toEqual([expect.stringMatching(/file-3$/)])
    expect(report.repaired.flatMap(({ names }) => names)).toEqual([expect.stringMatching(/file-4$/)])
    // With a sound copy the rest comes back too.
    expect(await repair(dir, { from: replica })).toMatchObject({ ok: true, lost: [], notes: [] })
  })

  test('without another place names what is lost, and destroys nothing', async () => {
    const dir = await damagedCopy('alone', async (copy) => {
      const { path, at } = await packWith(copy, text(5))
      await flip(path, at + 3)
    })
    const report = await repair(dir)
    expect(report).toMatchObject({ ok: false, repaired: [], aside: [] })
    expect(report.lost[0]?.names).toEqual([expect.stringMatching(/file-5$/)])
  })

  test('refuses a place with another vault, and the same folder, and changes nothing', async () => {
    const dir = await damagedCopy('refused', async (copy) => {
      const { path, at } = await packWith(copy, text(5))
      await flip(path, at + 3)
    })
    const foreign = space.at('foreign')
    await createVault(foreign, { passphrase: undefined })
    const before = await snapshot(dir)
    await expect(repair(dir, { from: foreign })).rejects.toMatchObject({ code: 'REPAIR_OTHER_VAULT' })
    await expect(repair(dir, { from: join(dir, '.') })).rejects.toMatchObject({ code: 'REPAIR_SAME_PLACE' })
    await expect(repair(dir, { from: space.at('nowhere') })).rejects.toMatchObject({ code: 'VAULT_NOT_FOUND' })
    expect(await snapshot(dir)).toEqual(before)
  })

  test('makes checksums anew where they are damaged, and not where a file is', async () => {
    const sums = await damagedCopy('sums', (copy) => rm(join(copy, 'SHA256SUMS')))
    expect(await repair(sums)).toMatchObject({ ok: true, repaired: [{ subject: 'SHA256SUMS' }, {}, {}, {}, {}, {}] })
    const line = await damagedCopy('line', (copy) => flip(join(copy, 'SHA256SUMS'), 3))
    expect(await repair(line)).toMatchObject({ ok: true })
    const key = (await filesUnder(join(vault, 'keys'))).find((name) => name.startsWith('identity')) as string
    const damaged = await damagedCopy('key', (copy) => flip(join(copy, 'keys', key), 40))
    expect(await repair(damaged, { from: replica })).toMatchObject({
      ok: false,
      repaired: [],
      damaged: [{ code: 'VAULT_FILE_DAMAGED', subject: `keys/${key}` }],
    })
  })

  test('writes vault.json anew where the marks outside know which place it is', async () => {
    const stateDir = space.at('state')
    for (const damage of Object.values(ACTS)) {
      const dir = await damagedCopy('place-file', async () => {})
      await (await openVault(dir, { stateDir }))[Symbol.asyncDispose]()
      const was = await readFile(join(dir, 'vault.json'), 'utf8')
      await damage(join(dir, 'vault.json'))
      expect(await repair(dir, { stateDir })).toMatchObject({ ok: true, repaired: [{ subject: 'vault.json' }] })
      expect(await readFile(join(dir, 'vault.json'), 'utf8')).toBe(was)
    }
  })

  test('says that a soup which cannot be opened cannot be healed here', async () => {
    for (const name of ['flip the beginning of', 'empty', 'remove']) {
      const dir = await damagedCopy('soup', (copy) =>
        (ACTS[name] as (path: string) => Promise<void>)(join(copy, 'soup.sqlite')),
      )
      const { ok, damaged } = await repair(dir, { from: replica })
      expect([ok, damaged[0]?.subject]).toEqual([false, 'soup.sqlite'])
    }
  })

  test('is no way around the mark of a newer state', async () => {
    const stateDir = space.at('state-old')
    const dir = await damagedCopy('old', async () => {})
    const old = space.at('old-copy')
    await cp(dir, old, { recursive: true })
    {
      await using opened = await openVault(dir, { stateDir })
      await opened.put(Buffer.from('newer'))
    }
    await expect(repair(old, { from: replica, stateDir })).rejects.toMatchObject({ code: 'AUDIT_ROLLBACK' })
  })
})

function number(file: string): number {
  return Number(/\d+$/.exec(file)?.[0] ?? 0)
}
