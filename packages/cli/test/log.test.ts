import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeEntry, parseTlogProof, parseVkey, verifyTlogProof } from '@vault/audit-chain'
import { describe, expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'

interface Listed {
  readonly entries: readonly {
    readonly index: number
    readonly key: string
    readonly action: { readonly verb: string; readonly object: string; readonly parameters?: unknown }
    readonly context?: { readonly motivation: string }
  }[]
  readonly count: number
  readonly ok: boolean
}

async function sample(space: Awaited<ReturnType<typeof scratch>>): Promise<string> {
  const vault = space.at('vault')
  await json('vaultctl', ['init', vault])
  await mkdir(space.at('photos'))
  for (const name of ['a', 'b']) await writeFile(space.at('photos', name), name)
  await writeFile(space.at('notes'), 'notes')
  await json('vaultctl', ['put', vault, 'notes', '-m', 'to keep'], 0, { cwd: space.dir })
  await json('vaultctl', ['put', vault, 'photos'], 0, { cwd: space.dir })
  await json('vaultctl', ['rm', vault, 'notes', '--message', 'not kept'])
  return vault
}

describe('vaultctl log', () => {
  test('says who did what, when and why', async () => {
    await using space = await scratch()
    const vault = await sample(space)
    const { entries, count, ok } = await json<Listed>('vaultctl', ['log', vault])
    expect([count, ok]).toEqual([4, true])
    const shown = entries.map(({ action, context }) => [action.verb, action.object, context?.motivation])
    expect(shown).toEqual([
      ['vault-init', expect.stringMatching(/^vault:b/), undefined],
      ['put', 'path:notes', 'to keep'],
      ['put', 'path:photos/', undefined],
      ['remove', 'path:notes', 'not kept'],
    ])
    const text = await run('vaultctl', ['log', vault, '--reverse', '--limit', '1'])
    expect(text.stdout).toMatch(
      /^Entry #3\n {2}ID +sha256:[0-9a-f]{64}\n {2}Time +\d{4}-.*Z\n {2}Who +owner \(ed25519:\w+\)\n {2}Action +remove path:notes\n {2}With +.*removed 1.*\n {2}Why +not kept\n\n$/,
    )
    const asked = await json<Listed>('vaultctl', ['log', vault, '--query', 'object=path:photos/* or verb=remove'])
    expect(asked.entries.map(({ index }) => index)).toEqual([2, 3])
    for (const args of [
      ['--query', 'who=me'],
      ['--limit', '0'],
      ['--verify', '--path'],
      ['--proof', '4'],
    ]) {
      expect(await json('vaultctl', ['log', vault, ...args], 2), args.join(' ')).toMatchObject({
        error: { code: 'USAGE' },
      })
    }
    expect(await json('vaultctl', ['status', vault])).toMatchObject({ log: { entries: 4, waiting: 0 } })
  })

  test('gives what others need to verify it', async () => {
    await using space = await scratch()
    const vault = await sample(space)
    const { origin, vkeys } = await json<{ origin: string; vkeys: string[] }>('vaultctl', ['log', vault, '--vkey'])
    const keys = vkeys.map(parseVkey)
    await json('vaultctl', ['log', vault, '--proof', '1', '-o', space.at('proof')])
    const proof = await readFile(space.at('proof'))
    const leaf = parseTlogProof(proof).extra as Uint8Array
    expect(verifyTlogProof(proof, { leaf, origin, keys })).toMatchObject({ index: 1, checkpoint: { size: 4 } })
    expect(decodeEntry(leaf)).toMatchObject({ action: { verb: 'put', object: 'path:notes' } })
    const other = new Uint8Array(leaf)
    other[20] = (other[20] as number) ^ 1
    expect(() => verifyTlogProof(proof, { leaf: other, origin, keys })).toThrow()
    expect((await run('vaultctl', ['log', vault, '--proof', '1'])).stdout).toBe(proof.toString())

    const { path } = await json<{ path: string }>('vaultctl', ['log', vault, '--path'])
    const checkpoint = await readFile(join(path, 'checkpoint'), 'utf8')
    expect((await run('vaultctl', ['log', vault, '--checkpoint'])).stdout).toBe(checkpoint)
    expect(await json('vaultctl', ['log', vault, '--checkpoint'])).toMatchObject({ size: 4, checkpoint })
    expect(checkpoint.split('\n').slice(0, 2)).toEqual([origin, '4'])
  })

  test('verifies the whole log, and names what is wrong', async () => {
    await using space = await scratch()
    const vault = await sample(space)
    expect(await json('vaultctl', ['log', vault, '--verify'])).toMatchObject({ ok: true, entries: 4, findings: [] })
    const { path } = await json<{ path: string }>('vaultctl', ['log', vault, '--path'])
    const bundle = join(path, 'tile/entries/000.p/4')
    const bytes = await readFile(bundle)
    bytes[bytes.indexOf('to keep')] = 'T'.charCodeAt(0)
    await writeFile(bundle, bytes)
    const wrong = await json<{ findings: { subject: string }[] }>('vaultctl', ['log', vault, '--verify'], 1)
    expect(wrong.findings.map(({ subject }) => subject)).toContain('entry 1')
    expect((await run('vaultctl', ['log', vault, '--verify'])).stderr).toContain('entry 1')
    expect(await json('vaultctl', ['verify', vault], 1)).toMatchObject({ ok: false })
    expect((await run('vaultctl', ['get', vault, 'photos/a'])).stdout).toBe('a')
  })

  test('has every change of two processes once, and of none that was killed nothing less', async () => {
    await using space = await scratch()
    const vault = await sample(space)
    const names = ['x', 'y']
    for (const name of names) {
      await mkdir(space.at(name))
      for (let i = 0; i < 12_000; i++) await writeFile(space.at(name, `${i}`), `${name}${i}`)
    }
    await Promise.all([
      json('vaultctl', ['put', vault, 'x'], 0, { cwd: space.dir }),
      ...[150, 300, 450].map((ms) =>
        run('vaultctl', ['put', vault, 'y'], {
          cwd: space.dir,
          started: (child) => void setTimeout(() => child.kill('SIGKILL'), 250 + ms),
        }),
      ),
    ])
    await json('vaultctl', ['put', vault, 'y'], 0, { cwd: space.dir })
    const { entries } = await json<Listed>('vaultctl', ['log', vault])
    expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length)
    const { sequence } = await json<{ sequence: number }>('vaultctl', ['status', vault])
    expect(entries.length).toBeGreaterThanOrEqual(sequence + 1)
    expect(await json('vaultctl', ['log', vault, '--verify'])).toMatchObject({ ok: true })
    expect(await json('vaultctl', ['status', vault])).toMatchObject({ log: { waiting: 0 } })
  })
})

describe('an old copy', () => {
  async function rolledBack(space: Awaited<ReturnType<typeof scratch>>): Promise<string> {
    const vault = await sample(space)
    await cp(vault, space.at('backup'), { recursive: true })
    await json('vaultctl', ['put', vault, 'notes'], 0, { cwd: space.dir })
    await rename(vault, space.at('newer'))
    await cp(space.at('backup'), vault, { recursive: true })
    return vault
  }

  test('that was put back is refused with 3, and the evidence is named', async () => {
    await using space = await scratch()
    const vault = await rolledBack(space)
    for (const args of [
      ['ls'],
      ['verify'],
      ['log'],
      ['status'],
      ['root'],
      ['rm', 'photos/a'],
      ['put', space.at('notes')],
    ]) {
      const [command, ...rest] = args as [string, ...string[]]
      const refused = await json<{ error: { code: string; details: { evidence: string } } }>(
        'vaultctl',
        [command, vault, ...rest],
        3,
      )
      expect(refused.error.code, command).toBe('AUDIT_ROLLBACK')
      expect(JSON.parse(await readFile(refused.error.details.evidence, 'utf8'))).toMatchObject({ found: { size: 4 } })
    }
    const seen = await json<{ files: unknown[] }>('vaultctl', ['ls', vault, '--ignore-mark'])
    expect(seen.files).toHaveLength(2)
    expect(await json('vaultctl', ['ls', vault, '--state-dir', space.at('other')])).toMatchObject({ ok: true })
  })

  test('is made fit to be read by restore-from-backup, which says what is missing', async () => {
    await using space = await scratch()
    const vault = await rolledBack(space)
    const restored = await json('vaultctl', ['restore-from-backup', vault])
    expect(restored).toMatchObject({
      state: 'replica',
      epoch: 0,
      lost: { changes: 1, entries: 1 },
      log: { entries: 4 },
    })
    expect(await json('vaultctl', ['verify', vault])).toMatchObject({ ok: true })
    expect(await json('vaultctl', ['put', vault, 'notes'], 1, { cwd: space.dir })).toMatchObject({
      error: { code: 'VAULT_READ_ONLY' },
    })
    expect(await json('vaultctl', ['restore-from-backup', space.at('newer')], 1)).toMatchObject({
      error: { code: 'VAULT_NOT_BEHIND' },
    })
    const elsewhere = ['restore-from-backup', space.at('newer'), '--state-dir', space.at('other')]
    expect(await json('vaultctl', elsewhere, 1)).toMatchObject({ error: { code: 'VAULT_MARK_UNKNOWN' } })
    expect(await json('vaultctl', ['status', space.at('newer')])).toMatchObject({ state: 'active' })
  })

  test('of nothing but the log, or none of it, is refused too', async () => {
    await using space = await scratch()
    const vault = await sample(space)
    await rm(join(vault, 'log'), { recursive: true })
    const elsewhere = ['--state-dir', space.at('other')]
    for (const args of [[], elsewhere]) {
      expect(await json('vaultctl', ['ls', vault, ...args], 3)).toMatchObject({ error: { code: 'AUDIT_ROLLBACK' } })
    }
  })

  test('is kept apart from others by a mark that the environment places', async () => {
    await using space = await scratch()
    const vault = space.at('vault')
    const env = { VAULT_STATE_DIR: '', XDG_STATE_HOME: space.at('xdg') }
    await json('vaultctl', ['init', vault], 0, { env })
    await json('vaultctl', ['status', vault], 0, { env })
    expect(await readdir(space.at('xdg/vault'))).toEqual(['marks'])
    await writeFile(space.at('file'), '')
    const warned = await run('vaultctl', ['ls', vault, '--state-dir', space.at('file/below')])
    expect(warned.code).toBe(0)
    expect(warned.stderr).toContain('Warning: No mark')
  })
})
