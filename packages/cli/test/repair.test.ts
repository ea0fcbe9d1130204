import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

interface Repaired {
  readonly ok: boolean
  readonly objects: number
  readonly checked: number
  readonly repaired: readonly { readonly subject: string; readonly names: readonly string[] }[]
  readonly lost: readonly { readonly subject: string; readonly names: readonly string[] }[]
  readonly damaged: readonly { readonly subject: string }[]
}

type Space = Awaited<ReturnType<typeof scratch>>

const text = (n: number) => `content of file ${n} `.repeat(200)

/** A vault and a replica of it; and a copy of the vault, in which each of these files is damaged in its pack. */
async function sample(space: Space, damaged: readonly number[], files = 60): Promise<void> {
  await mkdir(space.at('tree'))
  for (let i = 0; i < files; i++) await writeFile(space.at('tree', `file-${i}`), text(i))
  await json('vaultctl', ['init', space.at('vault')])
  await json('vaultctl', ['put', space.at('vault'), '.'], 0, { cwd: space.at('tree') })
  await json('vault-migrate', ['run', '--no-handoff', '--from', space.at('vault'), '--to', space.at('replica')])
  for (const n of damaged) await harm(space.at('vault'), n)
}

async function harm(dir: string, n: number): Promise<void> {
  for (const name of await readdir(join(dir, 'objects'))) {
    if (!name.endsWith('.pack')) continue
    const path = join(dir, 'objects', name)
    const bytes = await readFile(path)
    const at = bytes.indexOf(text(n))
    if (at < 0) continue
    bytes[at + 5] = (bytes[at + 5] as number) ^ 1
    await writeFile(path, bytes)
  }
}

describe('vaultctl verify --repair', () => {
  test('heals from a replica, and says what neither has', async () => {
    await using space = await scratch()
    const [vault, replica] = [space.at('vault'), space.at('replica')]
    await sample(space, [3, 4])
    await cp(replica, space.at('sound'), { recursive: true })
    await harm(replica, 3)
    const first = await json<Repaired>('vaultctl', ['verify', vault, '--repair', '--from', replica], 1)
    expect(first).toMatchObject({ ok: false, objects: 60, lost: [{ names: ['file-3'] }] })
    expect(first.repaired).toMatchObject([{ names: ['file-4'] }])
    const said = await run('vaultctl', ['verify', vault, '--repair'])
    expect([said.code, said.stdout]).toEqual([1, expect.stringContaining('1 object lost')])
    expect(said.stderr).toContain('LOST')
    expect(said.stderr).toContain('file-3')

    const second = await json<Repaired>('vaultctl', ['verify', vault, '--repair', '--from', space.at('sound')])
    expect(second).toMatchObject({ ok: true, objects: 60, checked: expect.any(Number), lost: [], damaged: [] })
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true, notes: [] })
    expect((await run('vaultctl', ['get', vault, 'file-3'])).stdout).toBe(text(3))
    expect((await run('vaultctl', ['verify', vault, '--repair'])).stdout).toContain('Nothing was damaged')
  })

  test('killed anywhere and run again ends healed', { timeout: 240_000 }, async () => {
    await using space = await scratch()
    await sample(space, [1, 2, 3, 5, 8, 13, 21])
    const replica = space.at('replica')
    let killed = 0
    for (let i = 0; i < 10; i++) {
      const dir = space.at(`copy-${i}`)
      await cp(space.at('vault'), dir, { recursive: true })
      const args = ['verify', dir, '--repair', '--from', replica]
      const { code } = await run('vaultctl', args, {
        started: (child) => setTimeout(() => child.kill('SIGKILL'), 250 + i * 40),
      })
      if (code === null) killed++
      expect(await json<Repaired>('vaultctl', args)).toMatchObject({ ok: true, objects: 60, lost: [], damaged: [] })
      expect(await json('vaultctl', ['verify', dir])).toMatchObject({ ok: true })
    }
    expect(killed).toBeGreaterThan(2)
  })

  test('refuses what is no repair', async () => {
    await using space = await scratch()
    await sample(space, [1], 3)
    const vault = space.at('vault')
    await json('vaultctl', ['init', space.at('other')])
    const code = async (...args: string[]) =>
      (
        await json<{ error: { code: string } }>(
          'vaultctl',
          ['verify', vault, ...args],
          args.includes('--repair') && args.length === 3 ? 1 : 2,
        )
      ).error.code
    expect(await code('--repair', '--from', space.at('other'))).toBe('REPAIR_OTHER_VAULT')
    expect(await code('--repair', '--from', vault)).toBe('REPAIR_SAME_PLACE')
    expect(await code('--from', space.at('replica'))).toBe('USAGE')
    expect(await code('--repair', '--sample', '1', '--from', vault)).toBe('USAGE')
    expect(await code('--repair', '--ignore-mark')).toBe('USAGE')
  })
})

describe('vaultctl doctor', () => {
  test('says that nothing is wrong, and what is', async () => {
    await using space = await scratch()
    await sample(space, [], 3)
    const vault = space.at('vault')
    const well = await run('vaultctl', ['doctor', vault])
    expect([well.code, well.stdout.split('\n')[0]]).toEqual([0, expect.stringContaining('Nothing is wrong')])
    expect((await run('vaultctl', ['doctor', space.at('replica')])).stdout).toContain('is replica here')
    await rename(join(vault, 'soup.sqlite'), space.at('kept'))
    const told = await run('vaultctl', ['doctor', vault])
    expect([told.code, told.stderr]).toEqual([1, ''])
    expect(told.stdout).toContain('vault-migrate run --no-handoff')
    const { ok, checks } = await json<{ ok: boolean; checks: { name: string; ok: boolean; message: string }[] }>(
      'vaultctl',
      ['doctor', vault],
      1,
    )
    expect([ok, checks.filter((check) => !check.ok).map(({ name }) => name)]).toEqual([false, ['soup.sqlite']])
    await rm(vault, { recursive: true })
    expect(await json('vaultctl', ['doctor', vault], 1)).toMatchObject({ checks: [{ name: 'folder', ok: false }] })
  })
})
