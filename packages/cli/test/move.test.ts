import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { json, type RunOptions, run, type Started, scratch } from './harness.ts'

type Space = Awaited<ReturnType<typeof scratch>>

interface Status {
  readonly vault: string
  readonly state: string
  readonly migrations: readonly {
    readonly migration_id: string
    readonly kind: string
    readonly phase: string
    readonly objects: number
    readonly bytes: number
    readonly eta_seconds: number | null
    readonly steps: readonly { readonly effect: string; readonly kind: string; readonly status: string }[]
  }[]
}

interface Refused {
  readonly error: { readonly code: string; readonly message: string; readonly details: Record<string, unknown> }
}

/** Every move with keys under a passphrase derives a key from it several times, so only tests that are about it have one. */
const PLAIN = ['--no-to-passphrase']

/** A vault in `A`, with some small files and a large one. */
async function vaultWith(space: Space, files: number, passphrase?: string): Promise<string> {
  await mkdir(space.at('tree/sub'), { recursive: true })
  for (let i = 0; i < files; i++) await writeFile(space.at('tree', i % 2 ? 'sub' : '', `f${i}`), `content ${i}`)
  await writeFile(space.at('tree/large'), Buffer.alloc(2_222_222, 'large '))
  const key = passphrase === undefined ? ['--no-passphrase'] : ['--passphrase-file', passphrase]
  await json('vaultctl', ['init', space.at('A'), ...key])
  await json('vaultctl', ['put', space.at('A'), '.'], 0, { cwd: space.at('tree') })
  return space.at('A')
}

function ends(space: Space, from = 'A', to = 'B'): readonly string[] {
  return ['--from', space.at(from), '--to', space.at(to), ...PLAIN]
}

const statusOf = (vault: string) => json<Status>('vault-migrate', ['status', vault])

/** What a place says of itself, without what a place of another time could not have in common with it. */
async function standingOf(vault: string): Promise<Record<string, unknown>> {
  const { objects_root, soup_root } = await json('vaultctl', ['root', vault])
  const { state, objects, entries, sequence, log } = await json('vaultctl', ['status', vault])
  return { state, objects, entries, sequence, log, objects_root, soup_root }
}

/** The states of places; those that there are not yet have none. */
async function statesOf(...vaults: readonly string[]): Promise<readonly unknown[]> {
  return await Promise.all(
    vaults.map(async (vault) => {
      const { code, stdout } = await run('vaultctl', ['status', vault, '--json'])
      return code === 0 ? JSON.parse(stdout).state : 'none'
    }),
  )
}

/** The vault is whole here, and its trail has every event once. */
async function expectSound(vault: string): Promise<readonly string[]> {
  expect(await json('vaultctl', ['verify', vault]), vault).toMatchObject({ ok: true, damaged: [] })
  expect(await json('vaultctl', ['log', vault, '--verify']), vault).toMatchObject({ ok: true })
  const { entries } = await json<{ entries: { key: string; action: { verb: string } }[] }>('vaultctl', ['log', vault])
  expect(new Set(entries.map(({ key }) => key)).size, vault).toBe(entries.length)
  return entries.map(({ action }) => action.verb)
}

/** Sends a signal so many milliseconds after the step has begun. */
function atStep(effect: string, signal: NodeJS.Signals, delay = 0): RunOptions {
  const started = (child: Started) => {
    let seen = ''
    child.stderr.on('data', (text) => {
      if (seen.includes(`${effect} `)) return
      seen += text
      if (seen.includes(`${effect} `)) setTimeout(() => child.kill(signal), delay)
    })
  }
  return { started }
}

describe('vault-migrate', () => {
  test('hands a vault off, and gives a certificate of it', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    await writeFile(space.at('passphrase'), 'correct horse battery staple\n')
    const a = await vaultWith(space, 20, space.at('passphrase'))
    const b = space.at('B')
    const given = ['--from', a, '--to', b, '--passphrase-file', space.at('passphrase')]
    const cert = space.at('moved.cert')
    const before = await standingOf(a)
    const ran = await json('vault-migrate', ['run', ...given, '--certificate', cert])
    expect(ran).toMatchObject({
      ok: true,
      migration_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      phase: 'complete',
      state: 'active',
      certificate: cert,
      source: a,
      target: b,
      objects: 24,
      sent: 24,
      verified: { coverage: { mode: 'full' }, checked: { objects: 24, entries: 21 } },
    })
    const { vault } = await json<Status>('vaultctl', ['status', a])
    expect(await standingOf(b)).toMatchObject({
      state: 'active',
      objects_root: before.objects_root,
      soup_root: before.soup_root,
    })
    expect((await run('vaultctl', ['get', b, 'sub/f1'])).stdout).toBe('content 1')
    expect(await expectSound(b)).toEqual([
      'vault-init',
      'put',
      'migration-authorized',
      'migration-start',
      'object-transferred',
      'object-transferred',
      'authority-diff',
      'key-transition',
      'migration-audit',
      'handoff',
      'migration-complete',
    ])
    expect((await readdir(join(b, 'keys'))).filter((file) => /^(identity|operators)-/.test(file))).toEqual([
      expect.stringMatching(/\.age$/),
      expect.stringMatching(/\.age$/),
    ])

    // A stranger has nothing but the file.
    await mkdir(space.at('stranger'))
    const alone = space.at('stranger/cert')
    await copyFile(cert, alone)
    const strange = { cwd: space.at('stranger'), env: { VAULT_STATE_DIR: space.at('stranger/state') } }
    const verify = (expected: number, ...trust: readonly string[]) =>
      json<{ findings: { code: string }[] }>('vault-migrate', ['verify-cert', alone, ...trust], expected, strange)
    expect(await verify(0, '--trust', vault)).toEqual({ ok: true, trusted: true, findings: [] })
    const untrusted = { trusted: false, findings: [{ code: 'MIGRATION_CERTIFICATE_UNTRUSTED' }] }
    expect(await verify(0)).toMatchObject({ ok: true, ...untrusted })
    const other = 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi'
    expect(await verify(1, '--trust', other)).toMatchObject({ ok: false, ...untrusted })
    expect(await json('vault-migrate', ['verify-cert', alone, '--trust', 'somebody'], 2)).toMatchObject({ ok: false })
    const shown = await run('vault-migrate', ['show-cert', alone, '--trust', vault], strange)
    expect([shown.code, shown.stdout]).toEqual([0, expect.stringMatching(/^TRUSTED.*24 objects/s)])
    const bytes = await readFile(alone)
    for (const share of [0.1, 0.5, 0.9]) {
      const forged = Buffer.from(bytes)
      const at = Math.floor(share * bytes.length)
      forged[at] = (forged[at] as number) ^ 1
      await writeFile(alone, forged)
      const { findings } = await verify(1, '--trust', vault)
      expect(findings.length, `byte ${at}`).toBeGreaterThan(0)
    }
    await json('vault-migrate', ['certificate', b, '-o', space.at('again.cert')])
    expect(await readFile(space.at('again.cert'))).toEqual(bytes)
    expect(await json('vault-migrate', ['certificate', a, '-o', space.at('none.cert')], 2)).toMatchObject({
      error: { code: 'USAGE' },
    })
    const odd = ['run', '--from', a, '--to', space.at('odd'), '--allow-broken', 'nothing']
    expect(await json('vault-migrate', odd, 2)).toMatchObject({ error: { code: 'USAGE' } })

    const status = await statusOf(a)
    expect(status).toMatchObject({
      state: 'retired',
      migrations: [{ migration_id: ran.migration_id, kind: 'full', phase: 'complete', objects: 24, eta_seconds: null }],
    })
    const [move] = status.migrations
    expect(move?.steps.map((step) => step.status)).toEqual(move?.steps.map(() => 'done'))
    expect(move?.steps.filter((step) => step.kind === 'cleanup').map((step) => step.effect)).toEqual([
      'route',
      'conclude',
    ])

    const put = await run('vaultctl', ['put', a, 'f0'], { cwd: space.at('tree') })
    expect([put.code, put.stderr]).toEqual([1, expect.stringContaining('handed off')])
    const again = space.at('asked-again.cert')
    const { migration_id, certificate_id } = ran
    expect(await json('vault-migrate', ['run', ...given, '--certificate', again])).toMatchObject({
      ...{ ok: true, already: true, phase: 'complete', state: 'active', migration_id, certificate_id, target: b },
    })
    expect(await readFile(again)).toEqual(await readFile(space.at('again.cert')))
    const said = await run('vault-migrate', ['run', ...given])
    expect([said.code, said.stdout]).toEqual([0, expect.stringContaining(`moved already: it is active in ${b}`)])
    for (const verb of [['plan'], ['run', '--dry-run']]) {
      expect(await json('vault-migrate', [...verb, '--from', a, '--to', b])).toMatchObject({
        ...{ ok: true, already: true, phase: 'complete', state: 'active', migration_id, source: a, target: b },
      })
    }
    const told = await run('vault-migrate', ['plan', '--from', a, '--to', b])
    expect([told.code, told.stdout]).toEqual([0, expect.stringContaining(`moved already: it is active in ${b}`)])
    await json('vault-migrate', ['plan', '--from', a, '--to', space.at('C')], 1)
    const elsewhere = ['--from', a, '--to', space.at('C'), '--passphrase-file', space.at('passphrase')]
    const refusedThere = await json<Refused>('vault-migrate', ['run', ...elsewhere], 1)
    expect(refusedThere.error).toMatchObject({ code: 'MIGRATION_SOURCE_REFUSED', details: { migration: migration_id } })
    expect(refusedThere.error.message).toContain(`to ${b}`)
    const refused = await json<Refused>('vault-migrate', ['rollback', ...given], 1)
    expect(refused.error.code).toBe('MIGRATION_COMPLETE')
    expect(refused.error.message).toContain('Cannot rollback completed migration')
    expect((await readdir(space.dir)).sort()).not.toContain('C')
    expect(await statesOf(a, b)).toEqual(['retired', 'active'])
    expect(await expectSound(a)).toHaveLength(9)
  })

  test('goes there and back, and there and back again', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 10)
    const b = space.at('B')
    const places = [a, b]
    for (let epoch = 1; epoch <= 4; epoch++) {
      const [from, to] = epoch % 2 === 1 ? [a, b] : [b, a]
      const back = epoch % 2 === 1 ? [] : ['--back']
      await writeFile(space.at('tree', `new-${epoch}`), `written before hand-off ${epoch}`)
      await json('vaultctl', ['put', from, `new-${epoch}`], 0, { cwd: space.at('tree') })
      const cert = space.at(`${epoch}.cert`)
      const ran = await json('vault-migrate', ['run', ...ends(space), ...back, '--certificate', cert])
      expect(ran).toMatchObject({ phase: 'complete', source: from, target: to, sent: epoch === 1 ? 15 : 1 })
      expect(await json('vaultctl', ['status', to])).toMatchObject({ state: 'active', epoch })
      expect(await statesOf(...places)).toEqual(epoch % 2 === 1 ? ['retired', 'active'] : ['active', 'retired'])
    }
    const { vault } = await json<Status>('vaultctl', ['status', a])
    for (let epoch = 1; epoch <= 4; epoch++) {
      expect((await run('vaultctl', ['get', a, `new-${epoch}`])).stdout).toBe(`written before hand-off ${epoch}`)
      expect(await json('vault-migrate', ['verify-cert', space.at(`${epoch}.cert`), '--trust', vault])).toMatchObject({
        trusted: true,
      })
    }
    const standing = await standingOf(b)
    expect(await standingOf(a)).toMatchObject({ objects_root: standing.objects_root, soup_root: standing.soup_root })
    const verbs = await expectSound(a)
    expect(verbs.filter((verb) => verb === 'handoff' || verb === 'migration-complete')).toEqual(
      [1, 2, 3, 4].flatMap(() => ['handoff', 'migration-complete']),
    )
    await expectSound(b)
    expect((await statusOf(a)).migrations.map(({ phase }) => phase)).toEqual(['complete', 'complete'])
  })

  test('is paused by Ctrl-C, and goes on with the same command', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 4000)
    const stopped = await run('vault-migrate', ['run', ...ends(space), '--json'], atStep('copy', 'SIGINT', 60))
    expect([stopped.code, JSON.parse(stopped.stdout)], stopped.stderr).toEqual([
      130,
      { ok: false, error: { code: 'INTERRUPTED', message: expect.any(String) } },
    ])
    expect(stopped.stderr).toContain('the same command goes on')
    const { state, migrations } = await statusOf(a)
    expect([state, migrations]).toMatchObject(['active', [{ phase: 'paused' }]])
    const [paused] = migrations
    expect(paused?.steps.find(({ status }) => status === 'next')?.effect).toBe('copy')
    expect((await run('vault-migrate', ['status', a])).stdout).toContain('[>] objects and entries are sent')
    await json('vaultctl', ['put', a, 'f0'], 0, { cwd: space.at('tree') })
    expect(await json('vault-migrate', ['run', ...ends(space)])).toMatchObject({
      migration_id: paused?.migration_id,
      phase: 'complete',
    })
    expect(await statesOf(a, space.at('B'))).toEqual(['retired', 'active'])
    await expectSound(space.at('B'))
  })

  test('goes on wherever it was killed, as the same migration', { timeout: 240_000 }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 300)
    const b = space.at('B')
    const kills = [
      ...['accept', 'announce', 'copy', 'verify'].map((effect) => atStep(effect, 'SIGKILL', 5)),
      ...['copy-rest', 'move-trail', 'sign', 'activate', 'conclude'].map((effect) => atStep(effect, 'SIGKILL', 2)),
    ]
    const ids = new Set<string>()
    for (const [i, kill] of kills.entries()) {
      const goesOn = (await statusOf(a)).migrations.some(({ phase }) => phase !== 'complete')
      const done = (await statesOf(a))[0] === 'retired' && !goesOn
      if (done) break
      await run('vault-migrate', [goesOn && i % 2 === 1 ? 'resume' : 'run', ...ends(space)], kill)
      const states = await statesOf(a, b)
      expect(states.filter((state) => state === 'active').length, `${i}: ${states}`).toBeLessThanOrEqual(1)
      for (const { migration_id } of (await statusOf(a)).migrations) ids.add(migration_id)
    }
    const open = (await statusOf(a)).migrations.some(({ phase }) => phase !== 'complete')
    if (open) expect(await json('vault-migrate', ['resume', ...ends(space)])).toMatchObject({ phase: 'complete' })
    expect(ids.size).toBe(1)
    expect(await statesOf(a, b)).toEqual(['retired', 'active'])
    const verbs = await expectSound(b)
    for (const verb of ['migration-authorized', 'migration-start', 'migration-audit', 'handoff', 'migration-complete'])
      expect(
        verbs.filter((one) => one === verb),
        verb,
      ).toHaveLength(1)
    await json('vault-migrate', ['certificate', b, '-o', space.at('cert')])
    const { vault } = await statusOf(b)
    expect(await json('vault-migrate', ['verify-cert', space.at('cert'), '--trust', vault])).toMatchObject({
      trusted: true,
    })
  })

  test('asked for again when the vault has been handed on, says so, and when it is back there, is done', {
    timeout: 120_000,
  }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 3)
    await json('vault-migrate', ['run', ...ends(space), '--reason', 'boredom'], 2)
    await json('vault-migrate', ['run', ...ends(space), '--reason', 'cost', '--no-handoff'], 2)
    await json('vault-migrate', ['run', ...ends(space), '--reason', 'cost'])
    expect((await run('vaultctl', ['log', space.at('B'), '--json'])).stdout).toMatch(
      /migration-start.*"motivation":"cost"/s,
    )
    await json('vault-migrate', ['run', ...ends(space, 'B', 'C')])
    const onward = await json<Refused>('vault-migrate', ['run', ...ends(space)], 1)
    expect(onward.error).toMatchObject({ code: 'MIGRATION_SOURCE_REFUSED', details: { state: 'retired' } })
    await json('vault-migrate', ['plan', '--from', a, '--to', space.at('B')], 1)
    await json('vault-migrate', ['run', ...ends(space, 'B', 'C'), '--back'])
    expect(await json('vault-migrate', ['run', ...ends(space)])).toMatchObject({ already: true, state: 'active' })
    expect(await statesOf(a, space.at('B'), space.at('C'))).toEqual(['retired', 'active', 'retired'])
  })

  test('is rolled back until the hand-off is signed, and both places are as before', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 60)
    const b = space.at('B')
    for (const effect of ['copy', 'prepare']) {
      await run('vault-migrate', ['run', ...ends(space)], atStep(effect, 'SIGKILL', 3))
      const rolled = await json('vault-migrate', ['rollback', ...ends(space), '--reason', 'a change of mind'])
      expect(rolled, effect).toMatchObject({ ok: true, phase: 'rolled-back', reason: 'a change of mind' })
      expect(await json('vaultctl', ['put', a, 'f0'], 0, { cwd: space.at('tree') })).toMatchObject({ ok: true })
      expect(await statesOf(a, b), effect).toEqual(['active', 'none'])
    }
    expect((await statusOf(a)).migrations).toMatchObject([{ phase: 'rolled-back' }, { phase: 'rolled-back' }])
    const { entries } = await json<{ entries: { context?: { motivation: string } }[] }>('vaultctl', [
      'log',
      a,
      '--query',
      'verb=migration-rolled-back',
    ])
    expect(entries.map(({ context }) => context?.motivation)).toEqual(['a change of mind', 'a change of mind'])

    // B has the vault as it was when it went back to A; another attempt changes it, and is taken back.
    await json('vault-migrate', ['run', ...ends(space)])
    await json('vault-migrate', ['run', ...ends(space), '--back'])
    const retired = await standingOf(b)
    expect(retired).toMatchObject({ state: 'retired', entries: 61 })
    await writeFile(space.at('tree/f0'), 'changed since')
    await json('vaultctl', ['rm', a, 'sub/f1'])
    await json('vaultctl', ['put', a, 'f0'], 0, { cwd: space.at('tree') })
    await run('vault-migrate', ['run', ...ends(space)], atStep('sign', 'SIGKILL'))
    const rolled = await json('vault-migrate', ['rollback', ...ends(space)])
    expect(rolled).toMatchObject({ phase: 'rolled-back' })
    expect(await standingOf(b)).toEqual(retired)
    expect((await run('vaultctl', ['get', b, 'sub/f1'])).stdout).toBe('content 1')
    expect(await json('vaultctl', ['verify', b])).toMatchObject({ ok: true })
    expect((await run('vaultctl', ['get', a, 'f0'])).stdout).toBe('changed since')
    await expectSound(a)
    expect(await json('vault-migrate', ['run', ...ends(space)])).toMatchObject({ phase: 'complete' })
    expect(await statesOf(a, b)).toEqual(['retired', 'active'])
    await expectSound(b)
  })

  test('names a file that it cannot write before anything is begun, and else beside the result', {
    timeout: 120_000,
  }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 3)
    const usage = { error: { code: 'USAGE' } }
    const files = [['--certificate'], ['--events'], ['--live', '--svg']]
    for (const option of files) {
      const args = ['run', ...ends(space), ...option, space.at('nowhere/x')]
      expect(await json('vault-migrate', args, 2)).toMatchObject(usage)
    }
    expect(await statesOf(a, space.at('B'))).toEqual(['active', 'none'])
    expect(await json<Refused>('vault-migrate', ['rollback', ...ends(space)], 1)).toMatchObject({
      error: { code: 'MIGRATION_UNKNOWN', message: expect.stringContaining('nothing has moved from here') },
    })
    expect(await statesOf(a, space.at('B'))).toEqual(['active', 'none'])
    const full = ['--certificate', '/dev/full']
    const moved = await run('vault-migrate', ['run', ...ends(space), ...full, '--live', '--svg', '/dev/full'])
    expect([moved.code, moved.stdout]).toEqual([1, expect.stringContaining('The vault is active in')])
    expect(moved.stderr).toContain(`"vault-migrate certificate ${space.at('B')} -o FILE" writes it`)
    expect(moved.stderr).not.toContain('    at ')
    expect((await statusOf(a)).migrations).toMatchObject([{ phase: 'complete' }])
    const back = ['rollback', ...ends(space), '--bring-newer', '--certificate']
    expect(await json('vault-migrate', [...back, space.at('nowhere/x')], 2)).toMatchObject(usage)
    expect(await statesOf(a, space.at('B'))).toEqual(['retired', 'active'])
    expect(await json('vault-migrate', [...back, '/dev/full'], 1)).toMatchObject({
      phase: 'complete',
      error: { code: 'OUTPUT_FILE_FAILED' },
    })
    const written = ['certificate', a, '-o']
    expect(await json('vault-migrate', [...written, space.at('nowhere/x')], 2)).toMatchObject(usage)
    await json('vault-migrate', [...written, space.at('back.cert')])
  })

  test('does not call it a rollback where only the way forward was left', { timeout: 120_000 }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 3)
    await run('vault-migrate', ['run', ...ends(space)], atStep('activate', 'SIGKILL'))
    const [handedOff] = (await statusOf(a)).migrations
    expect(handedOff?.phase).toMatch(/^(handoff-signed|activated)$/)
    // As A is where the run was killed behind the activation, before A was told of it.
    await cp(a, space.at('before'), { recursive: true })
    await json('vault-migrate', ['run', ...ends(space)])
    await rm(a, { recursive: true })
    await cp(space.at('before'), a, { recursive: true })
    const refused = await json<Refused>('vault-migrate', ['rollback', ...ends(space)], 1)
    expect(refused.error.code).toBe('MIGRATION_TARGET_ADVANCED')
    expect(await statesOf(a, space.at('B'))).toEqual(['retired', 'active'])
    expect((await statusOf(a)).migrations).toMatchObject([{ phase: 'complete' }])
    await expectSound(space.at('B'))
  })

  test('is done once, also where it is run twice at once', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 400)
    const b = space.at('B')
    const both = await Promise.all([1, 2].map(() => run('vault-migrate', ['run', ...ends(space), '--json'])))
    for (const { code, stdout, stderr } of both) {
      expect([0, 1, 4], stderr).toContain(code)
      expect(stdout).not.toContain('UNEXPECTED')
    }
    if ((await statesOf(a, b)).join() !== 'retired,active') await json('vault-migrate', ['run', ...ends(space)])
    expect(await statesOf(a, b)).toEqual(['retired', 'active'])
    expect((await statusOf(a)).migrations.filter(({ phase }) => phase === 'complete')).toHaveLength(1)
    const verbs = await expectSound(b)
    expect(verbs.filter((verb) => verb === 'handoff')).toHaveLength(1)
  })

  test('leads clients to the new place, and repeats that until it succeeds', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 3)
    const { vault } = await statusOf(a)
    await writeFile(space.at('routes.json'), JSON.stringify({ other: { place: 'elsewhere' } }))
    const ran = await json('vault-migrate', ['run', ...ends(space), '--route', space.at('routes.json')])
    expect(JSON.parse(await readFile(space.at('routes.json'), 'utf8'))).toEqual({
      other: { place: 'elsewhere' },
      [vault]: { place: space.at('B'), instance: expect.any(String), epoch: 1, migration: ran.migration_id },
    })

    const command = space.at('route')
    await writeFile(command, '#!/bin/sh\necho "$VAULT_EPOCH $VAULT_TO" >> "$ROUTED"\n[ -e "$MAY_ROUTE" ]\n')
    await chmod(command, 0o755)
    const env = { ROUTED: space.at('routed'), MAY_ROUTE: space.at('may') }
    const args = [...ends(space), '--back', '--route-command', command]
    expect(await json('vault-migrate', ['run', ...args], 4, { env })).toMatchObject({
      error: { code: 'ROUTING_FAILED', details: { exit: 1 } },
    })
    expect(await statesOf(a, space.at('B'))).toEqual(['active', 'retired'])
    expect((await statusOf(space.at('B'))).migrations).toMatchObject([{ phase: 'activated' }])
    expect(await json('vault-migrate', ['rollback', ...args], 1)).toMatchObject({
      error: { code: 'MIGRATION_TARGET_ADVANCED' },
    })
    await json('vault-migrate', ['resume', ...args], 4, { env })
    await writeFile(space.at('may'), '')
    expect(await json('vault-migrate', ['resume', ...args], 0, { env })).toMatchObject({ phase: 'complete' })
    expect(await readFile(space.at('routed'), 'utf8')).toBe(`2 ${a}\n`.repeat(3))
    expect(await json('vault-migrate', ['run', ...ends(space), '--route', 'x', '--route-command', 'y'], 2)).toEqual(
      expect.objectContaining({ ok: false }),
    )
  })

  test('refuses a wrong passphrase before anything is written', { timeout: 180_000 }, async () => {
    await using space = await scratch()
    await writeFile(space.at('right'), 'correct horse')
    await writeFile(space.at('wrong'), 'battery staple')
    const a = await vaultWith(space, 3, space.at('right'))
    const given = ['--from', a, '--to', space.at('B')]
    expect(await json('vault-migrate', ['run', ...given, '--passphrase-file', space.at('wrong')], 1)).toMatchObject({
      error: { code: 'KEY_PASSPHRASE' },
    })
    expect((await readdir(space.dir)).sort()).toEqual(['A', 'right', 'tree', 'wrong'])
    expect((await statusOf(a)).migrations).toEqual([])
    const resumed = await json<Refused>(
      'vault-migrate',
      ['resume', ...given, '--passphrase-file', space.at('right')],
      1,
    )
    expect(resumed.error.code).toBe('MIGRATION_UNKNOWN')
    expect(resumed.error.message).toContain('No checkpoint found')

    // Killed before the identity has signed, gone on with the wrong one, then with the right one.
    await run('vault-migrate', ['run', ...given, '--passphrase-file', space.at('right')], atStep('accept', 'SIGKILL'))
    expect(await json('vault-migrate', ['resume', ...given, '--passphrase-file', space.at('wrong')], 1)).toMatchObject({
      error: { code: 'KEY_PASSPHRASE' },
    })
    expect((await statusOf(a)).migrations).toMatchObject([{ phase: 'planned' }])
    expect(await json('vault-migrate', ['resume', ...given, '--passphrase-file', space.at('right')])).toMatchObject({
      phase: 'complete',
    })
    await expectSound(space.at('B'))
  })

  test('a byte that changes in a pack or in the log, in either place, is found and named', {
    timeout: 240_000,
  }, async () => {
    await using space = await scratch()
    const a = await vaultWith(space, 20)
    const b = space.at('B')
    await json('vault-migrate', ['run', ...ends(space)])
    for (const vault of [a, b]) {
      const all = await readdir(vault, { recursive: true })
      const picked = [/\.pack$/, /^log\/[^/]+\/checkpoint$/, /tile\/entries\//, /tile\/0\//, /^SHA256SUMS$/].map(
        (kind) =>
          all
            .filter((file) => kind.test(file))
            .sort()
            .at(-1) as string,
      )
      const files: string[] = []
      for (const file of picked) if ((await stat(join(vault, file))).isFile()) files.push(file)
      expect(files.length, vault).toBeGreaterThan(3)
      for (const file of files) {
        await rm(space.at('copy'), { recursive: true, force: true })
        await cp(vault, space.at('copy'), { recursive: true })
        const bytes = await readFile(space.at('copy', file))
        const at = Math.floor(bytes.length / 2)
        bytes[at] = (bytes[at] as number) ^ 0x10
        await writeFile(space.at('copy', file), bytes)
        const { damaged } = await json<{ damaged: { subject: string }[] }>('vaultctl', ['verify', space.at('copy')], 1)
        expect(damaged[0]?.subject, `${file} of ${vault}`).toMatch(/./)
      }
    }
  })
})
