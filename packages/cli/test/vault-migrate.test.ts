import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

async function vaultWith(space: Awaited<ReturnType<typeof scratch>>, files: number): Promise<string> {
  await mkdir(space.at('tree/sub'), { recursive: true })
  for (let i = 0; i < files; i++) await writeFile(space.at('tree', i % 2 ? 'sub' : '', `f${i}`), `content ${i}`)
  await writeFile(space.at('tree/large'), Buffer.alloc(3_333_333, 'large '))
  await json('vaultctl', ['init', space.at('source')])
  await json('vaultctl', ['put', space.at('source'), '.'], 0, { cwd: space.at('tree') })
  return space.at('source')
}

const rootsOf = async (vault: string) => {
  const { objects_root, soup_root } = await json('vaultctl', ['root', vault])
  return { objects_root, soup_root }
}

describe('vault-migrate run --no-handoff', () => {
  test('copies a vault, verifies it, and leaves a replica with the same roots', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 50)
    const target = space.at('target')
    const ran = await json('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', target])
    expect(ran).toMatchObject({ ok: true, phase: 'complete', source, target, objects: 55, sent: 55 })
    expect(ran.seconds).toBeGreaterThan(0)
    expect(await rootsOf(target)).toEqual(await rootsOf(source))
    // The list that the log names is read, too.
    expect(await json('vaultctl', ['verify', target])).toMatchObject({ ok: true, objects: 55, checked: 56 })
    expect(await json('vaultctl', ['status', target])).toMatchObject({ state: 'replica' })
    expect((await run('vaultctl', ['get', target, 'sub/f1'])).stdout).toBe('content 1')
    expect(await json('vaultctl', ['put', target, space.at('tree/f0')], 1)).toMatchObject({
      error: { code: 'VAULT_READ_ONLY' },
    })
    expect(await json('vault-migrate', ['verify', '--from', source, '--to', target])).toMatchObject({
      ok: true,
      findings: [],
    })
    expect(await json('vault-migrate', ['verify', '--from', source, '--to', target, '--sample', '10'])).toMatchObject({
      ok: true,
      coverage: { mode: 'sample', size: 10 },
    })
  })

  test('a second run sends only what changed, and takes away what is gone', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 30)
    const target = space.at('target')
    await json('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', target])
    expect(await json('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', target])).toMatchObject({
      phase: 'complete',
      sent: 0,
    })
    await writeFile(space.at('tree/f0'), 'changed')
    await json('vaultctl', ['put', source, 'f0'], 0, { cwd: space.at('tree') })
    await json('vaultctl', ['rm', source, 'large'])
    expect(await json('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', target])).toMatchObject({
      sent: 1,
      objects: 30,
    })
    expect(await rootsOf(target)).toEqual(await rootsOf(source))
    expect(await json('vaultctl', ['verify', target])).toMatchObject({ ok: true })
  })

  test('an update says that it did not read again what was there; --reread does, and mends it', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 40)
    const ends = ['--from', source, '--to', space.at('target')]
    await json('vault-migrate', ['run', '--no-handoff', ...ends])
    const packs = (await readdir(space.at('target/objects'))).filter((file) => file.endsWith('.pack'))
    await rm(space.at('target/objects', packs[0] as string))

    const updated = await run('vault-migrate', ['run', '--no-handoff', ...ends])
    expect([updated.code, updated.stdout]).toEqual([0, expect.stringContaining('was not read again')])
    const found = await run('vault-migrate', ['verify', ...ends])
    expect([found.code, found.stdout]).toEqual([1, expect.stringContaining('run --reread')])

    expect(await json('vault-migrate', ['run', '--no-handoff', '--reread', ...ends])).toMatchObject({
      verified: { coverage: { mode: 'full' }, objects: 45 },
    })
    expect(await json('vault-migrate', ['verify', ...ends])).toMatchObject({ ok: true, findings: [] })
    expect(await json('vaultctl', ['verify', space.at('target')])).toMatchObject({ ok: true })
    expect(await json('vaultctl', ['status', space.at('target')])).toMatchObject({ state: 'replica' })
  })

  test('a plan and a dry run change nothing', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 5)
    const target = space.at('target')
    const plan = await json<{ plan: { kind: string } }>('vault-migrate', [
      'plan',
      '--from',
      source,
      '--to',
      target,
      '--reason',
      'hardware-failure',
    ])
    expect(plan).toMatchObject({ ok: true, plan: { kind: 'full', reason: 'hardware-failure', handoff: {} } })
    const copied = await json('vault-migrate', ['plan', '--no-handoff', '--from', source, '--to', target])
    expect(copied).toMatchObject({ plan: { kind: 'full' } })
    expect(copied).not.toHaveProperty('plan.handoff')
    expect(
      await json('vault-migrate', ['run', '--no-handoff', '--dry-run', '--from', source, '--to', target]),
    ).toMatchObject({
      dry_run: true,
      objects: 10,
    })
    expect((await readdir(space.dir)).sort()).toEqual(['source', 'tree'])
  })

  test('an empty vault gives way, one with content is left alone', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 5)
    await json('vaultctl', ['init', space.at('empty')])
    await json('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', space.at('empty')])
    expect((await json('vaultctl', ['status', space.at('empty')])).vault).toBe(
      (await json('vaultctl', ['status', source])).vault,
    )

    await json('vaultctl', ['init', space.at('full')])
    await json('vaultctl', ['put', space.at('full'), 'f0'], 0, { cwd: space.at('tree') })
    const before = await json('vaultctl', ['status', space.at('full')])
    expect(
      await json('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', space.at('full')], 1),
    ).toMatchObject({
      error: { code: 'MIGRATION_TARGET_NOT_EMPTY' },
    })
    expect(await json('vaultctl', ['status', space.at('full')])).toEqual(before)
    expect(
      await json('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', space.at('tree')], 1),
    ).toMatchObject({
      error: { code: 'VAULT_EXISTS' },
    })
  })

  test('damage at the source is named, damage at the target is found', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 40)
    await json('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', space.at('target')])
    const flip = async (vault: string, text: string) => {
      const [pack] = (await readdir(join(vault, 'objects'))).filter((file) => file.endsWith('.pack'))
      const path = join(vault, 'objects', pack as string)
      const bytes = await readFile(path)
      const at = bytes.indexOf(text)
      bytes[at] = (bytes[at] as number) ^ 1
      await writeFile(path, bytes)
    }
    await flip(space.at('target'), 'content 20')
    expect(await json('vault-migrate', ['verify', '--from', source, '--to', space.at('target')], 1)).toMatchObject({
      ok: false,
      findings: [{ code: 'MIGRATION_CONTENT_MISMATCH' }],
    })
    await flip(source, 'content 21')
    const refused = await json<{ error: { code: string; details: { findings: readonly unknown[] } } }>(
      'vault-migrate',
      ['run', '--no-handoff', '--from', source, '--to', space.at('other')],
      5,
    )
    expect(refused.error.code).toBe('MIGRATION_SOURCE_DAMAGED')
    expect(refused.error.details.findings).toHaveLength(1)
  })

  test('a run that is killed or interrupted is gone on with', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 8000)
    const args = ['run', '--no-handoff', '--from', source, '--to', space.at('target')]
    for (const delay of [200, 350, 500, 650]) {
      await run('vault-migrate', args, { started: (child) => void setTimeout(() => child.kill('SIGKILL'), delay) })
    }
    const stopped = await run('vault-migrate', [...args, '--json'], {
      started: (child) => void setTimeout(() => child.kill('SIGINT'), 300),
    })
    // Null: the signal came before the program had begun.
    expect([0, 130, null]).toContain(stopped.code)
    expect(await json('vault-migrate', args)).toMatchObject({ phase: 'complete' })
    expect(await rootsOf(space.at('target'))).toEqual(await rootsOf(source))
    expect(await json('vaultctl', ['verify', space.at('target')])).toMatchObject({ ok: true })
    expect(await json('vaultctl', ['status', source])).toMatchObject({ state: 'active' })
  })

  test('makes no folder in one that is not there', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 1)
    const ends = ['--from', source, '--to', space.at('not/mounted')]
    for (const words of [
      ['run', ...ends, '--no-to-passphrase'],
      ['run', '--no-handoff', ...ends],
      ['plan', ...ends],
    ]) {
      expect(await json('vault-migrate', words, 2)).toMatchObject({ error: { code: 'USAGE' } })
    }
    await expect(readdir(space.at('not'))).rejects.toThrow()
    expect(await json('vaultctl', ['status', source])).toMatchObject({ state: 'active' })
  })

  test('refuses to copy a vault onto itself', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 2)
    expect((await run('vault-migrate', ['run', '--no-handoff', '--from', source, '--to', source])).code).toBe(1)
    await rm(space.at('tree'), { recursive: true })
  })
})

describe('vault-migrate run --kind partial', () => {
  test('copies what matches into another active vault, with its entries in the log, and repeats without a change', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 10)
    const target = space.at('other')
    await json('vaultctl', ['init', target])
    await json('vaultctl', ['put', target, 'f0'], 0, { cwd: space.at('tree') })
    const part = ['run', '--kind', 'partial', '--where', 'key~path:sub/*', '--from', source, '--to', target]
    expect(await json('vault-migrate', part)).toMatchObject({
      ok: true,
      kind: 'partial',
      sent: 5,
      selected: { objects: 5, entries: 5 },
      state: 'active',
    })
    expect((await run('vaultctl', ['get', target, 'sub/f1'])).stdout).toBe('content 1')
    expect((await run('vaultctl', ['ls', target])).stdout).not.toContain('large')
    const { stdout } = await run('vaultctl', ['log', target])
    expect(stdout).toContain('receive')
    const before = await json('vaultctl', ['status', target])
    expect(await json('vault-migrate', part)).toMatchObject({ sent: 0 })
    expect(await json('vaultctl', ['status', target])).toEqual(before)
    expect(await json('vaultctl', ['verify', target])).toMatchObject({ ok: true })
    expect(await json('vaultctl', ['status', source])).toMatchObject({ state: 'active' })
  })

  test('takes a large file with all its blocks, and overwrites nothing', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 2)
    const target = space.at('other')
    await json('vaultctl', ['init', target])
    await writeFile(space.at('tree/f0'), 'something else')
    await json('vaultctl', ['put', target, 'f0'], 0, { cwd: space.at('tree') })
    const part = (where: string) => ['run', '--kind', 'partial', '-w', where, '--from', source, '--to', target]
    expect(await json('vault-migrate', part('size>=1000000'))).toMatchObject({ selected: { entries: 1 } })
    expect(await json('vaultctl', ['verify', target])).toMatchObject({ ok: true })
    const bytes = await readFile(space.at('tree/large'))
    await run('vaultctl', ['get', target, 'large', '-o', space.at('back')])
    expect(bytes.equals(await readFile(space.at('back')))).toBe(true)
    expect(await json('vault-migrate', part('key=path:f0'), 1)).toMatchObject({ error: { code: 'MIGRATION_CONFLICT' } })
    expect((await run('vaultctl', ['get', target, 'f0'])).stdout).toBe('something else')
  })

  test('refuses a condition that certificates meet before anything is written', async () => {
    await using space = await scratch()
    const source = await vaultWith(space, 4)
    const target = space.at('other')
    await json('vaultctl', ['init', target])
    const { key } = await json<{ key: string }>('vaultctl', ['status', target])
    await json('vaultctl', ['caps', 'issue', source, '--to', key, '--action', 'read'])
    const before = await json('vaultctl', ['status', target])
    const part = (where: string) => ['run', '--kind', 'partial', '-w', where, '--from', source, '--to', target]
    expect(await json('vault-migrate', part('key~*'), 1)).toMatchObject({ error: { code: 'CAPS_RESERVED' } })
    expect(await json('vaultctl', ['status', target])).toEqual(before)
    expect(await json('vault-migrate', part('type=path'))).toMatchObject({ ok: true })
  })

  test.each([
    ['no condition', ['--kind', 'partial']],
    ['a condition that is none', ['--kind', 'partial', '--where', '>>']],
    ['a condition for a whole vault', ['--where', 'size>1']],
    ['another kind', ['--kind', 'some', '--where', 'size>1']],
    ['a server', ['--kind', 'partial', '--where', 'size>1', '--to', 'https://vault.example']],
    ['a dry run', ['--kind', 'partial', '--where', 'size>1', '--dry-run']],
  ])('refuses %s', async (_, options) => {
    await using space = await scratch()
    await json('vaultctl', ['init', space.at('a')])
    const { code } = await run('vault-migrate', ['run', '--from', space.at('a'), '--to', space.at('b'), ...options])
    expect(code).toBe(2)
  })
})
