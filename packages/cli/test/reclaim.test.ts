import { mkdir, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

interface Reclaimed {
  readonly ok: boolean
  readonly segments: number
  readonly objects: number
  readonly bytes_freed: number
  readonly kept: { readonly segments: number; readonly unused: number }
}

const text = (n: number) => `content of file ${n} `.repeat(500)

async function packs(dir: string): Promise<{ readonly count: number; readonly bytes: number }> {
  const names = (await readdir(join(dir, 'objects'))).filter((name) => name.endsWith('.pack'))
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(dir, 'objects', name))).size))
  return { count: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

describe('vaultctl reclaim', () => {
  test('frees what was removed, says so before and after, and leaves a sound vault', async () => {
    await using space = await scratch()
    const [vault, tree] = [space.at('vault'), space.at('tree')]
    await mkdir(join(tree, 'old'), { recursive: true })
    for (let i = 0; i < 40; i++) await writeFile(join(tree, i % 2 === 0 ? 'old' : '.', `file-${i}`), text(i))
    await json('vaultctl', ['init', vault])
    await json('vaultctl', ['put', vault, '.'], 0, { cwd: tree })
    const nothing = await json<Reclaimed>('vaultctl', ['reclaim', vault])
    expect(nothing).toMatchObject({ ok: true, segments: 0, objects: 0, bytes_freed: 0 })
    await json('vaultctl', ['rm', '-r', vault, 'old'])

    const before = await packs(vault)
    const planned = await json<Reclaimed>('vaultctl', ['reclaim', vault, '--dry-run'])
    expect(planned).toMatchObject({ ok: true, dry_run: true, objects: 20 })
    expect(await packs(vault)).toEqual(before)

    const done = await json<Reclaimed>('vaultctl', ['reclaim', vault, '-m', 'a full disk'])
    expect(done).toMatchObject({ ok: true, objects: 20, kept: { segments: 1, unused: 0 } })
    const after = await packs(vault)
    expect(before.bytes - after.bytes).toBeGreaterThan(20 * text(0).length - 1000)
    expect(done.bytes_freed).toBeGreaterThan(20 * text(0).length - 1000)

    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true, objects: 20, notes: [] })
    expect((await run('vaultctl', ['get', vault, 'file-7'])).stdout).toBe(text(7))
    expect((await run('vaultctl', ['log', vault])).stdout).toMatch(/reclaim.*a full disk/s)
    expect(await json('vaultctl', ['reclaim', vault])).toMatchObject({ segments: 0, bytes_freed: 0 })
  })

  test('puts many small packs together', async () => {
    await using space = await scratch()
    const vault = space.at('vault')
    await json('vaultctl', ['init', vault])
    for (let i = 0; i < 9; i++) {
      await writeFile(space.at(`file-${i}`), text(i))
      await json('vaultctl', ['put', vault, `file-${i}`], 0, { cwd: space.at('.') })
    }
    expect((await packs(vault)).count).toBe(9)
    const said = await run('vaultctl', ['reclaim', vault])
    expect([said.code, said.stdout]).toEqual([0, expect.stringMatching(/9 packs.*written anew/)])
    expect((await packs(vault)).count).toBe(1)
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true, objects: 9, notes: [] })
  })

  test('refuses what is no share', async () => {
    await using space = await scratch()
    await json('vaultctl', ['init', space.at('vault')])
    for (const share of ['101', '-1', 'much']) {
      const said = await run('vaultctl', ['reclaim', space.at('vault'), '--max-unused', share])
      expect([said.code, said.stderr]).toEqual([2, expect.stringContaining('--max-unused')])
    }
  })
})
