import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

const PLAIN = ['--no-to-passphrase']

async function vaultIn(space: Awaited<ReturnType<typeof scratch>>, files = 20): Promise<string> {
  await mkdir(space.at('tree'))
  for (let i = 0; i < files; i++) await writeFile(space.at('tree', `f${i}`), `content ${i}`)
  await json('vaultctl', ['init', space.at('A'), '--no-passphrase'])
  await json('vaultctl', ['put', space.at('A'), '.'], 0, { cwd: space.at('tree') })
  return space.at('A')
}

async function rootsOf(vault: string): Promise<unknown> {
  const { objects_root, soup_root } = await json('vaultctl', ['root', vault])
  return { objects_root, soup_root }
}

async function verbsOf(vault: string): Promise<readonly string[]> {
  const { entries } = await json<{ entries: { action: { verb: string } }[] }>('vaultctl', ['log', vault])
  return entries.map(({ action }) => action.verb)
}

describe('vault-migrate', () => {
  test('rehearses a move, and leaves nothing of it', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const a = await vaultIn(space)
    const before = await rootsOf(a)
    const events = space.at('events.jsonl')
    const told = await json<{ steps: { effect: string }[] }>('vault-migrate', [
      ...['rehearse', '--from', a, ...PLAIN, '--events', events],
    ])
    expect(told).toMatchObject({
      ok: true,
      phase: 'rolled-back',
      target: null,
      sent: 20,
      pause_ms: expect.any(Number),
      handoff: { objects: 20, certified: true },
    })
    expect(told.steps.at(-1)?.effect).toBe('prepare')
    // Nothing stays beside the vault, which was never handed off.
    expect((await readdir(space.dir)).sort()).toEqual(['A', 'events.jsonl', 'tree'])
    expect(await json('vaultctl', ['status', a])).toMatchObject({ state: 'active', epoch: 0 })
    expect(await rootsOf(a)).toEqual(before)
    expect(await json('vaultctl', ['verify', a])).toMatchObject({ ok: true })
    const verbs = await verbsOf(a)
    expect(verbs).toContain('migration-rolled-back')
    expect(verbs).not.toContain('handoff')
    const lines = (await readFile(events, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.every(({ at }) => !Number.isNaN(Date.parse(at)))).toBe(true)
    expect(lines.filter(({ type }) => type === 'step').map(({ effect }) => effect)).not.toContain('sign')
    expect(lines.at(-1)).toMatchObject({ type: 'rehearsed', ok: true })
    // The place that was meant is as it was, too, and the move is made afterwards.
    const ends = ['--from', a, '--to', space.at('B'), ...PLAIN]
    expect(await json('vault-migrate', ['rehearse', ...ends])).toMatchObject({ ok: true, target: space.at('B') })
    expect(await json('vault-migrate', ['run', ...ends])).toMatchObject({ phase: 'complete' })
    expect((await readdir(space.dir)).sort()).toEqual(['A', 'B', 'events.jsonl', 'tree'])
  })

  test('says what is different between two places', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const a = await vaultIn(space)
    const b = space.at('B')
    const ends = ['--from', a, '--to', b]
    await json('vault-migrate', ['run', ...ends, '--no-handoff'])
    expect(await json('vault-migrate', ['diff', ...ends])).toMatchObject({ ok: true, same: true })
    await writeFile(space.at('tree/f1'), 'other content')
    await writeFile(space.at('tree/new'), 'new content')
    await json('vaultctl', ['put', a, 'f1', 'new'], 0, { cwd: space.at('tree') })
    await json('vaultctl', ['rm', a, 'f2'])
    const { names, ...counts } = await json<{ names: unknown[] }>('vault-migrate', ['diff', ...ends, '--names'], 1)
    expect(counts).toMatchObject({
      same: false,
      objects: { only_here: 2 },
      entries: { only_here: 1, only_there: 1, different: 1 },
      omitted: 0,
    })
    expect(names).toEqual(
      expect.arrayContaining([
        { type: 'entry', name: 'path:new', where: 'only-here' },
        { type: 'entry', name: 'path:f2', where: 'only-there' },
        { type: 'entry', name: 'path:f1', where: 'different' },
      ]),
    )
    expect(await json('vault-migrate', ['diff', ...ends, '--names', '--limit', '1'], 1)).toMatchObject({
      names: [{}],
      omitted: expect.any(Number),
    })
  })

  test('writes what happens as lines, before the result', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const a = await vaultIn(space, 5)
    const { code, stdout } = await run('vault-migrate', [
      ...['run', '--from', a, '--to', space.at('B'), ...PLAIN, '--events', '-', '--json'],
    ])
    expect(code).toBe(0)
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.at(-1)).toMatchObject({ ok: true, phase: 'complete' })
    expect(lines.at(-2)).toMatchObject({ type: 'moved', phase: 'complete' })
    expect(lines.filter(({ type }) => type === 'step')).toHaveLength(17)
    const { length } = lines
    expect(lines.filter(({ type }) => type === 'batch').every(({ count }) => count > 0)).toBe(true)
    expect(length).toBeGreaterThan(20)
  })

  test('takes a complete migration back with what was written since', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const a = await vaultIn(space)
    const b = space.at('B')
    const ends = ['--from', a, '--to', b, ...PLAIN]
    const [there, back] = [space.at('there.cert'), space.at('back.cert')]
    const moved = await json('vault-migrate', ['run', ...ends, '--certificate', there])
    const { migration_id } = moved
    expect(await json('vault-migrate', ['rollback', ...ends], 1)).toMatchObject({
      error: { code: 'MIGRATION_COMPLETE', details: { migration: migration_id, total: 0, newer: [] } },
    })
    await writeFile(space.at('tree/newer'), 'written at the target')
    await json('vaultctl', ['put', b, 'newer'], 0, { cwd: space.at('tree') })
    await json('vaultctl', ['rm', b, 'f3'])
    const refused = await json<{ error: { message: string } }>('vault-migrate', ['rollback', ...ends], 1)
    expect(refused).toMatchObject({
      error: {
        code: 'MIGRATION_COMPLETE',
        details: {
          newer: expect.arrayContaining([
            { type: 'entry', name: 'path:newer', where: 'only-there' },
            { type: 'entry', name: 'path:f3', where: 'only-here' },
          ]),
        },
      },
    })
    expect(refused.error.message).toMatch(/^Cannot rollback completed migration.*--bring-newer/)
    const before = await rootsOf(b)
    expect(await json('vaultctl', ['status', b])).toMatchObject({ state: 'active' })
    const returned = await json('vault-migrate', ['rollback', ...ends, '--bring-newer', '--certificate', back])
    expect(returned).toMatchObject({ phase: 'complete', source: b, target: a, returns: migration_id })
    expect(returned.newer).toBeGreaterThanOrEqual(3)
    expect(await json('vaultctl', ['status', a])).toMatchObject({ state: 'active', epoch: 2 })
    expect(await json('vaultctl', ['status', b])).toMatchObject({ state: 'retired' })
    expect(await rootsOf(a)).toEqual(before)
    expect((await run('vaultctl', ['get', a, 'newer'])).stdout).toBe('written at the target')
    expect((await run('vaultctl', ['get', a, 'f3'])).code).not.toBe(0)
    expect(await json('vaultctl', ['verify', a])).toMatchObject({ ok: true, damaged: [] })
    expect(await json('vaultctl', ['log', a, '--verify'])).toMatchObject({ ok: true })
    const verbs = await verbsOf(a)
    expect(verbs.filter((verb) => verb === 'handoff' || verb === 'migration-complete')).toEqual([
      ...['handoff', 'migration-complete', 'handoff', 'migration-complete'],
    ])
    expect(verbs.slice(verbs.indexOf('migration-complete'))).toContain('put')
    const { vault } = await json('vaultctl', ['status', a])
    for (const file of [there, back])
      expect(await json('vault-migrate', ['verify-cert', file, '--trust', `${vault}`])).toMatchObject({ trusted: true })
    // It is back, so there is nothing to take back.
    expect(await json('vault-migrate', ['rollback', ...ends, '--bring-newer'], 1)).toMatchObject({
      error: { code: 'MIGRATION_COMPLETE' },
    })
  })
})
