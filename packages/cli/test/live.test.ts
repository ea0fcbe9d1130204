import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { json, run, type Started, scratch } from './harness.ts'
import { startWriter, type Written } from './start-writer.ts'

interface Ran {
  readonly phase: string
  readonly migration_id: string
  readonly pause_ms: number
  readonly overruns: number
  readonly live_rounds: readonly { readonly dirty: number; readonly left: number; readonly ms: number }[]
}

async function vaultOf(dir: string, tree: string, files: number): Promise<void> {
  await mkdir(tree)
  for (let i = 0; i < files; i++) await writeFile(join(tree, `f${i}`), `content ${i}`)
  await json('vaultctl', ['init', dir, '--no-passphrase'])
  await json('vaultctl', ['put', dir, '.'], 0, { cwd: tree })
}

/** Every acknowledged change is in the vault, and in its trail once. */
async function expectKept(dir: string, all: readonly Written[]): Promise<void> {
  const { entries } = await json<{ entries: readonly { key: string }[] }>('vaultctl', ['log', dir])
  const keys = entries.map(({ key }) => key)
  expect(new Set(keys).size).toBe(keys.length)
  const known = new Set(keys)
  for (const { acknowledged } of all) for (const key of acknowledged.keys()) expect(known.has(key), key).toBe(true)
  expect(await json('vaultctl', ['log', dir, '--verify'])).toMatchObject({ ok: true })
  const [sample] = all.flatMap(({ acknowledged }) => [...acknowledged].slice(-1))
  const [key, id = ''] = sample ?? []
  expect((await run('vaultctl', ['get', dir, id])).stdout).toBe(`content of ${key}`)
  expect(await json('vaultctl', ['verify', dir])).toMatchObject({ ok: true, damaged: [] })
}

/** Whether nobody is in the middle of a change of the place. */
function isFree(dir: string): boolean {
  using db = new DatabaseSync(join(dir, 'soup.sqlite'), { timeout: 0 })
  try {
    db.exec('BEGIN IMMEDIATE')
    return true
  } catch {
    return false
  }
}

/** Stops a run as it does a step and no change, in which others would wait for it, pauses its migration from another process, and lets it go on. */
async function pauseAt(child: Started, effect: string, dir: string): Promise<Ran> {
  let seen = ''
  while (!seen.includes(`${effect} `)) seen += (await once(child.stderr as NodeJS.ReadableStream, 'data'))[0]
  while (child.kill('SIGSTOP') && !isFree(dir)) {
    child.kill('SIGCONT')
    await sleep(20)
  }
  try {
    return await json<Ran>('vault-migrate', ['pause', dir])
  } finally {
    child.kill('SIGCONT')
  }
}

describe('vault-migrate run --live', () => {
  test('moves a vault that another process writes, and loses nothing', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const [a, b, svg] = [space.at('A'), space.at('B'), space.at('moved.svg')]
    await vaultOf(a, space.at('tree'), 500)
    using one = startWriter(a, 'one')
    using two = startWriter(a, 'two')
    await Promise.all([one.writes(), two.writes()])
    const given = ['--from', a, '--to', b, '--no-to-passphrase', '--live', '--max-pause', '5000', '--svg', svg]
    const ran = await json<Ran>('vault-migrate', ['run', ...given])
    const all = await Promise.all([one.ended, two.ended])
    expect(ran.phase).toBe('complete')
    expect(ran.pause_ms).toBeGreaterThan(0)
    expect(ran.live_rounds.length).toBeGreaterThan(0)
    for (const { acknowledged, end, address } of all) {
      expect([end, address]).toEqual(['VAULT_MOVED', b])
      expect(acknowledged.size).toBeGreaterThan(5)
    }
    await expectKept(b, all)
    const { objects } = await json<{ objects: number }>('vaultctl', ['status', b])
    const acknowledged = all.reduce((sum, each) => sum + each.acknowledged.size, 0)
    expect(objects).toBe(500 + acknowledged)
    const picture = await readFile(svg, 'utf8')
    expect(picture).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
    expect(picture).toContain(`nobody could write for ${ran.pause_ms} ms, of 5000 at most`)
    const late = await run('vaultctl', ['put', a, space.at('tree', 'f0'), '--json'])
    expect(late.code).toBe(1)
    expect(JSON.parse(late.stdout)).toMatchObject({ error: { code: 'VAULT_MOVED', details: { address: b } } })
  })

  test('is paused from another process, and goes on with resume', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const [a, b] = [space.at('A'), space.at('B')]
    await vaultOf(a, space.at('tree'), 500)
    using writer = startWriter(a, 'one')
    await writer.writes()
    const given = ['--from', a, '--to', b, '--no-to-passphrase']
    let pausing: Promise<Ran> | undefined
    const started = (child: Started) => {
      pausing = pauseAt(child, 'copy', a)
    }
    const stopped = await run('vault-migrate', ['run', ...given, '--live', '--max-pause', '5000', '--json'], {
      started,
    })
    expect(await pausing).toMatchObject({ ok: true, phase: 'paused' })
    expect(stopped.code).toBe(4)
    const { error } = JSON.parse(stopped.stdout)
    expect(error.code).toBe('MIGRATION_PAUSED')
    const { state, migrations } = await json<{ state: string; migrations: readonly Ran[] }>('vault-migrate', [
      'status',
      a,
    ])
    expect([state, migrations]).toMatchObject(['active', [{ phase: 'paused', migration_id: error.details.migration }]])
    const ran = await json<Ran>('vault-migrate', ['resume', ...given])
    expect(ran).toMatchObject({ phase: 'complete', migration_id: error.details.migration })
    const written = await writer.ended
    expect(written.end).toBe('VAULT_MOVED')
    await expectKept(b, [written])
  })
})
