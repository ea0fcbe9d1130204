import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { diagnose, openVault } from '@vault/embedded'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

interface Verified {
  readonly ok: boolean
  readonly damaged: readonly { readonly subject: string; readonly names: readonly string[] }[]
}

/** A vault of a few hundred files whose contents are told apart, in a closed state. */
async function sample(space: Awaited<ReturnType<typeof scratch>>, files = 200): Promise<string> {
  await mkdir(space.at('tree'), { recursive: true })
  for (let i = 0; i < files; i++) await writeFile(space.at('tree', `file-${i}`), `content of file ${i} `.repeat(20))
  await writeFile(space.at('tree/large'), Buffer.alloc(2_500_000, 'large file '))
  await json('vaultctl', ['init', space.at('vault')])
  await json('vaultctl', ['put', space.at('vault'), '.'], 0, { cwd: space.at('tree') })
  return space.at('vault')
}

/** So many sessions, each with a pack of its own, that the store writes an index of them. */
async function manySessions(dir: string): Promise<void> {
  for (let i = 0; i < 70; i++) {
    await using vault = await openVault(dir)
    await vault.put(Buffer.from(`session ${i}`))
  }
}

/**
 * Some of each kind of the log's files, of which a session leaves several: the first, and those of the latest size. Earlier heads
 * are further names of published checkpoints, and nobody reads them any more.
 */
async function logFiles(vault: string, log: readonly string[]): Promise<readonly string[]> {
  const { log: counts } = await json<{ log: { entries: number } }>('vaultctl', ['status', vault])
  const size = `${counts.entries}`
  const numbered = (folder: string) => log.filter((file) => file.includes(folder))
  const heads = numbered('.state/head.').map((file) => Number(file.slice(file.lastIndexOf('.') + 1)))
  const latest = log.filter((file) => file.endsWith(`/${size}`) || file.endsWith(`head.${Math.max(...heads)}`))
  const first = ['checkpoints/', 'tile/0/', 'tile/entries/'].flatMap((folder) => numbered(folder).slice(0, 1))
  const published = log.filter((file) => file.endsWith('/checkpoint'))
  expect([latest.length, published.length]).toEqual([4, 1])
  return [...new Set([...first, ...latest, ...published])]
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

/** Whether everything in the vault can still be got and is what was put. */
async function isWhole(vault: string, space: Awaited<ReturnType<typeof scratch>>): Promise<boolean> {
  await rm(space.at('check'), { recursive: true, force: true })
  const got = await run('vaultctl', ['get', vault, '.', '-o', space.at('check')])
  if (got.code !== 0) return false
  for (const name of await filesUnder(space.at('tree'))) {
    if (!(await readFile(space.at('check', name))).equals(await readFile(space.at('tree', name)))) return false
  }
  return true
}

describe('damage', () => {
  test('a flipped byte in any file is found, or does no harm', { timeout: 240_000 }, async () => {
    await using space = await scratch()
    const vault = await sample(space, 40)
    await manySessions(vault)
    const all = await filesUnder(vault)
    const packs = all.filter((file) => file.endsWith('.pack'))
    const log = all.filter((file) => file.startsWith('log/'))
    // The reserve only takes up room.
    const others = all.filter((file) => !packs.includes(file) && !log.includes(file) && file !== 'reserve')
    const files = [...others, ...packs.slice(0, 2), ...(await logFiles(vault, log))]
    expect(files.some((file) => file.endsWith('.idx'))).toBe(true)
    for (const file of files) {
      const { size } = await stat(join(vault, file))
      for (const share of [0, 0.3, 0.999]) {
        const copy = space.at('copy')
        await rm(copy, { recursive: true, force: true })
        await cp(vault, copy, { recursive: true })
        const offset = Math.floor(share * size)
        await flip(join(copy, file), offset)
        const verified = await run('vaultctl', ['verify', copy, '--json'])
        const label = `${file} at ${offset} of ${size}`
        if (verified.code === 0) {
          // SQLite has bytes that nothing depends on: free space within pages and unused header fields. A zero in the
          // footer of a pack, the last 24 bytes, looks like a byte that was never written.
          const isZero = (await readFile(join(copy, file)))[offset] === 0
          if (!(isZero && file.endsWith('.pack') && offset >= size - 24)) expect(file, label).toBe('soup.sqlite')
          expect(await isWhole(copy, space), label).toBe(true)
        } else {
          expect(verified.code, `${label}: ${verified.stderr}`).toBe(1)
          expect(verified.stderr + verified.stdout, label).not.toContain('UNEXPECTED')
          const { ok, damaged, ...counts } = JSON.parse(verified.stdout)
          expect([ok, typeof counts.objects, typeof counts.checked], label).toEqual([false, 'number', 'number'])
          expect(damaged[0].subject, label).not.toBe('')
        }
      }
    }
  })

  test('a flipped byte in a pack names the object and its files', async () => {
    await using space = await scratch()
    const vault = await sample(space)
    const [pack] = (await filesUnder(vault)).filter((file) => file.endsWith('.pack'))
    const path = join(vault, pack as string)
    const needle = Buffer.from('content of file 17 ')
    await flip(path, (await readFile(path)).indexOf(needle) + 3)
    const verified = await json<Verified>('vaultctl', ['verify', vault], 1)
    expect(verified.damaged.flatMap((damage) => damage.names)).toEqual(['file-17'])
    expect(verified.damaged.some((damage) => damage.subject.includes('.pack'))).toBe(true)
    const got = await json<{ error: { code: string; details: { id: string } } }>(
      'vaultctl',
      ['get', vault, 'file-17', '-o', space.at('x')],
      5,
    )
    expect(got.error.code).toBe('CAS_CORRUPT')
    expect(verified.damaged.map((damage) => damage.subject)).toContain(got.error.details.id)
    await expect(stat(space.at('x'))).rejects.toThrow()
    expect((await run('vaultctl', ['get', vault, 'file-18'])).stdout).toContain('content of file 18 ')
  })

  test('a truncated pack, a missing pack and a missing index are told apart', async () => {
    await using space = await scratch()
    const vault = await sample(space)
    const [pack] = (await filesUnder(vault)).filter((file) => file.endsWith('.pack'))
    await cp(vault, space.at('cut'), { recursive: true })
    await truncate(space.at('cut', pack as string), (await stat(join(vault, pack as string))).size - 100_000)
    const cut = await json<Verified>('vaultctl', ['verify', space.at('cut')], 1)
    expect(cut.damaged.length).toBeGreaterThan(0)

    await cp(vault, space.at('lost'), { recursive: true })
    await rm(space.at('lost', pack as string))
    const lost = await json<Verified>('vaultctl', ['verify', space.at('lost')], 1)
    expect(lost.damaged.flatMap((damage) => damage.names)).toEqual(expect.arrayContaining(['file-0', 'large']))

    await manySessions(vault)
    await cp(vault, space.at('unindexed'), { recursive: true })
    await rm(space.at('unindexed/objects/index'), { recursive: true })
    expect(await isWhole(space.at('unindexed'), space)).toBe(true)
    expect((await json<Verified>('vaultctl', ['verify', space.at('unindexed')])).ok).toBe(true)
  })

  test('foreign and newer formats are refused and named', async () => {
    await using space = await scratch()
    const vault = await sample(space, 3)
    await cp(vault, space.at('newer'), { recursive: true })
    const place = JSON.parse(await readFile(space.at('newer/vault.json'), 'utf8'))
    await writeFile(space.at('newer/vault.json'), JSON.stringify({ ...place, version: 2 }))
    expect(await json('vaultctl', ['root', space.at('newer')], 5)).toMatchObject({ error: { code: 'VAULT_FORMAT' } })
    expect(await json('vaultctl', ['verify', space.at('newer')], 1)).toMatchObject({
      ok: false,
      objects: 0,
      checked: 0,
      damaged: [{ code: 'VAULT_FORMAT', subject: 'vault.json', names: [], message: expect.any(String) }],
    })

    await cp(vault, space.at('foreign'), { recursive: true })
    await writeFile(space.at('foreign/soup.sqlite'), 'not a database, but long enough to look at twice '.repeat(100))
    const foreign = await json<{ error: { code: string; message: string } }>(
      'vaultctl',
      ['root', space.at('foreign')],
      5,
    )
    expect(foreign.error.code).toMatch(/^SOUP_(FORMAT|CORRUPT)$/)
    expect(foreign.error.message).toContain('soup.sqlite')
    expect(await json('vaultctl', ['verify', space.at('foreign')], 1)).toMatchObject({
      damaged: [{ code: foreign.error.code, subject: 'soup.sqlite', names: [] }],
    })

    const [pack] = (await filesUnder(vault)).filter((file) => file.endsWith('.pack'))
    await writeFile(join(vault, 'objects', `${'0'.repeat(32)}.pack`), 'something else '.repeat(20))
    await rename(join(vault, pack as string), join(vault, 'objects', `${'1'.repeat(32)}.pack`))
    const verified = await json<Verified>('vaultctl', ['verify', vault], 1)
    expect(verified.damaged.some((damage) => damage.subject.includes('0'.repeat(32)))).toBe(true)
  })
})

describe('hostile names', () => {
  test('nothing is written outside the output folder, nor through a link', async () => {
    await using space = await scratch()
    await json('vaultctl', ['init', space.at('vault')])
    await mkdir(space.at('outside'))
    {
      await using vault = await openVault(space.at('vault'))
      const file = await vault.put(Buffer.from('evil'))
      const link = await vault.put(Buffer.from('../outside'))
      const path = (name: string, object: typeof file, mode: number) => ({
        key: `path:${name}`,
        type: 'path',
        object,
        fields: { size: 4, mode },
      })
      await vault.commit({
        entries: {
          put: [
            path('climb/../../escaped', file, 0o100644),
            path('dots/..', file, 0o100644),
            path('/absolute', file, 0o100644),
            path('through/link', link, 0o120000),
            path('through/link/file', file, 0o100644),
            path(`long/${'n'.repeat(300)}`, file, 0o100644),
          ],
        },
      })
    }
    for (const folder of ['climb', 'dots', '.', 'through', 'long']) {
      const got = await run('vaultctl', ['get', space.at('vault'), folder, '-o', space.at('out', folder), '--json'])
      expect(got.code, `${folder}: ${got.stderr}`).toBe(1)
      expect(got.stdout, folder).not.toContain('UNEXPECTED')
    }
    expect(await readdir(space.at('outside'))).toEqual([])
    expect((await readdir(space.dir)).sort()).toEqual(['out', 'outside', 'vault'])
  })
})

const isRoot = process.getuid?.() === 0
if (!isRoot) console.warn('Only root may mount: the tests of full and read-only disks are not run.')

describe.skipIf(!isRoot)('disks', () => {
  test('a full disk is said, loses nothing, and the put can be repeated', async () => {
    await using space = await scratch()
    await using disk = await mounted(space.at('disk'), 'size=12m')
    await mkdir(space.at('tree'))
    for (let i = 0; i < 40; i++) await writeFile(space.at('tree', `f${i}`), Buffer.alloc(500_000, `${i} `))
    const vault = join(disk.dir, 'vault')
    await json('vaultctl', ['init', vault])
    await writeFile(space.at('first'), 'acknowledged before the disk was full')
    await json('vaultctl', ['put', vault, 'first'], 0, { cwd: space.dir })
    const full = await json<{ error: { code: string } }>('vaultctl', ['put', vault, '.'], 4, { cwd: space.at('tree') })
    expect(full.error.code).toMatch(/_WRITE_FAILED$/)
    expect((await run('vaultctl', ['get', vault, 'first'])).stdout).toBe('acknowledged before the disk was full')
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
    disk.remount('size=60m')
    await json('vaultctl', ['put', vault, '.'], 0, { cwd: space.at('tree') })
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
  })

  test('a disk that is full before the log is written keeps the change, and its entry follows', async () => {
    await using space = await scratch()
    await using disk = await mounted(space.at('disk'), 'size=12m')
    const vault = join(disk.dir, 'vault')
    await json('vaultctl', ['init', vault])
    await json('vaultctl', ['put', vault, 'package.json'], 0, { cwd: join(import.meta.dirname, '..') })
    {
      await using open = await openVault(vault)
      // The change is committed while there is room, and the log finds none.
      open.log.wake = () => {}
      await open.put(Buffer.from('committed'), { key: 'waits' })
      await writeFile(join(disk.dir, 'ballast'), Buffer.alloc(12 * 1024 * 1024)).catch(() => {})
      await expect(open.log.drain()).rejects.toMatchObject({ code: expect.stringMatching(/_WRITE_FAILED$/) })
      expect(await json('vaultctl', ['status', vault])).toMatchObject({ log: { entries: 2, waiting: 1 } })
      expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
      await rm(join(disk.dir, 'ballast'))
    }
    const { entries } = await json<{ entries: { key: string }[] }>('vaultctl', ['log', vault])
    expect(entries.map(({ key }) => key === 'waits')).toEqual([false, false, true])
    expect(await json('vaultctl', ['log', vault, '--verify'])).toMatchObject({ ok: true })
  })

  test('room is freed on a disk that is wholly full', async () => {
    await using space = await scratch()
    await using disk = await mounted(space.at('disk'), 'size=8m')
    const vault = join(disk.dir, 'vault')
    await mkdir(space.at('tree'))
    for (let i = 0; i < 20; i++) await writeFile(space.at('tree', `f${i}`), Buffer.alloc(100_000, `${i} `))
    await json('vaultctl', ['init', vault])
    await json('vaultctl', ['put', vault, 'tree'], 0, { cwd: space.dir })
    await json('vaultctl', ['rm', '-r', vault, 'tree'])
    await writeFile(join(disk.dir, 'ballast'), Buffer.alloc(8 * 1024 * 1024)).catch(() => {})
    expect(await json('vaultctl', ['reclaim', vault])).toMatchObject({ ok: true, objects: 20 })
    const { bavail, bsize } = await statfs(disk.dir)
    expect(bavail * bsize).toBeGreaterThan(19 * 100_000)
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true, objects: 0, notes: [] })
  })

  test('a vault on a disk that is wholly full is read, again and again, and is said to be sound', async () => {
    await using space = await scratch()
    await using disk = await mounted(space.at('disk'), 'size=8m')
    const vault = join(disk.dir, 'vault')
    await json('vaultctl', ['init', vault])
    await json('vaultctl', ['put', vault, 'package.json'], 0, { cwd: join(import.meta.dirname, '..') })
    await writeFile(join(disk.dir, 'ballast'), Buffer.alloc(8 * 1024 * 1024)).catch(() => {})
    for (let i = 0; i < 3; i++) {
      await using open = await openVault(vault, { mode: 'read' })
      expect(await open.status()).toMatchObject({ entries: 1 })
    }
    expect(await readdir(vault)).toContain('reserve')
    await rm(join(vault, 'reserve'))
    await writeFile(join(disk.dir, 'more'), Buffer.alloc(1024 * 1024)).catch(() => {})
    await expect(openVault(vault, { mode: 'read' })).rejects.toMatchObject({
      code: 'SOUP_READ_FAILED',
      message: expect.stringContaining('The disk is full: make room, then repeat.'),
    })
    const { summary, checks } = await diagnose(vault)
    expect(summary).not.toMatch(/damaged|backup/)
    expect(checks.filter(({ ok }) => !ok)).toMatchObject([{ name: 'space', lost: 'no' }])
  })

  test('a migration to a full disk goes on when there is room', async () => {
    await using space = await scratch()
    await using disk = await mounted(space.at('disk'), 'size=6m')
    await mkdir(space.at('tree'))
    for (let i = 0; i < 20; i++) await writeFile(space.at('tree', `f${i}`), Buffer.alloc(500_000, `${i} `))
    await json('vaultctl', ['init', space.at('vault')])
    await json('vaultctl', ['put', space.at('vault'), '.'], 0, { cwd: space.at('tree') })
    const args = ['run', '--from', space.at('vault'), '--to', join(disk.dir, 'copy')]
    const full = await run('vault-migrate', args)
    expect(full.code, full.stderr).toBe(4)
    expect(full.stderr).toMatch(/make room/i)
    expect(await json('vaultctl', ['status', space.at('vault')])).toMatchObject({ state: 'active' })
    disk.remount('size=60m')
    expect(await json('vault-migrate', args)).toMatchObject({ phase: 'complete', objects: 20 })
    expect(await json('vaultctl', ['status', space.at('vault')])).toMatchObject({ state: 'retired' })
    expect(await json('vaultctl', ['verify', join(disk.dir, 'copy')])).toMatchObject({ ok: true })
  })

  test('a read-only disk can be read, verified and moved from, and refuses writes', async () => {
    await using space = await scratch()
    await using disk = await mounted(space.at('disk'), 'size=30m')
    const vault = join(disk.dir, 'vault')
    const made = await sample(space, 20)
    await cp(made, vault, { recursive: true })
    disk.remount('ro')
    const roots = await json('vaultctl', ['root', vault])
    expect(roots).toEqual(await json('vaultctl', ['root', made]))
    expect(await isWhole(vault, space)).toBe(true)
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
    const refused = await run('vaultctl', ['put', vault, space.at('tree/file-1'), '--json'])
    expect(refused.code).toBe(1)
    expect(refused.stdout).not.toContain('UNEXPECTED')
    expect(await json('vault-migrate', ['run', '--from', vault, '--to', space.at('moved')], 1)).toMatchObject({
      ok: false,
    })
    await json('vault-migrate', ['run', '--no-handoff', '--from', vault, '--to', space.at('moved')])
    expect(await json('vaultctl', ['root', space.at('moved')])).toMatchObject({
      objects_root: roots.objects_root,
      soup_root: roots.soup_root,
    })
  })
})

describe('processes', () => {
  test('a put that is killed loses nothing that was reported, and can be repeated', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const vault = await sample(space, 1)
    await mkdir(space.at('more'))
    for (let i = 0; i < 9000; i++) await writeFile(space.at('more', `f${i}`), `number ${i}`)
    for (const delay of [150, 300, 450, 700]) {
      const killed = await run('vaultctl', ['put', vault, 'more'], {
        cwd: space.dir,
        started: (child) => void setTimeout(() => child.kill('SIGKILL'), delay),
      })
      expect([null, 0, 137]).toContain(killed.code)
      expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
      expect((await run('vaultctl', ['get', vault, 'file-0'])).stdout).toContain('content of file 0')
    }
    await json('vaultctl', ['put', vault, 'more'], 0, { cwd: space.dir })
    expect(await json('vaultctl', ['status', vault])).toMatchObject({ entries: 9002 })
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
  })

  test('Ctrl-C ends with 130 in a good state and says how to go on', async () => {
    await using space = await scratch()
    const vault = await sample(space, 1)
    await mkdir(space.at('more'))
    for (let i = 0; i < 6000; i++) await writeFile(space.at('more', `f${i}`), `number ${i}`)
    const stopped = await run('vaultctl', ['put', vault, 'more', '--json'], {
      cwd: space.dir,
      started: (child) => {
        // As soon as it writes, however long it took to start.
        const before = packsOf(vault)
        const look = setInterval(() => {
          if (packsOf(vault) === before) return
          clearInterval(look)
          child.kill('SIGINT')
        }, 5)
      },
    })
    expect(stopped.code, stopped.stderr).toBe(130)
    expect(stopped.stderr).toContain('the same command goes on')
    expect(JSON.parse(stopped.stdout)).toMatchObject({ ok: false, error: { code: 'INTERRUPTED' } })
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
    await json('vaultctl', ['put', vault, 'more'], 0, { cwd: space.dir })
  })

  test('four processes write one vault at once and nothing is lost', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const vault = await sample(space, 1)
    const writers = [0, 1, 2, 3]
    for (const writer of writers) {
      await mkdir(space.at(`w${writer}`))
      for (let i = 0; i < 300; i++) {
        await writeFile(space.at(`w${writer}`, `own-${i}`), `of ${writer}: ${i}`)
        await writeFile(space.at(`w${writer}`, `shared-${i}`), `shared ${i}`)
      }
    }
    await Promise.all(writers.map((writer) => json('vaultctl', ['put', vault, `w${writer}`], 0, { cwd: space.dir })))
    // 4 × 300 of their own, 300 shared, and what the sample has: one small file, three blocks and a manifest.
    expect(await json('vaultctl', ['status', vault])).toMatchObject({ entries: 2402, objects: 1505 })
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
  })
})

/** A small file system of its own. Needs root, as the machines that run the tests have. */
async function mounted(
  dir: string,
  options: string,
): Promise<{ readonly dir: string; remount(options: string): void } & AsyncDisposable> {
  await mkdir(dir)
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir])
  return {
    dir,
    remount: (changed) => void execFileSync('mount', ['-o', `remount,${changed}`, dir]),
    async [Symbol.asyncDispose]() {
      execFileSync('umount', [dir])
    },
  }
}

function packsOf(vault: string): number {
  return readdirSync(join(vault, 'objects')).length
}
