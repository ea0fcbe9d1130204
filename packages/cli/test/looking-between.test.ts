import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { between, prepared } from './between.ts'
import { json, run, scratch } from './harness.ts'
import { serve } from './serving.ts'

test('a move between two servers is planned, and nothing changes; and it is drawn', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 30)
  const { me, placeOfA, vault, keystore } = servers
  const state = async () => ({
    root: await json('vaultctl', ['root', space.at('A')]),
    status: await json('vaultctl', ['status', space.at('A')]),
    moves: await json('vault-migrate', ['status', space.at('A')]),
    log: await json('vaultctl', ['log', space.at('A')]),
  })
  const untouched = await state()
  const b = await serve(space.at('B'), ['--allow', placeOfA])
  const a = await serve(space.at('A'), ['--allow-moves', me, '--move-to', `${b.url}#${b.key}`])
  const asking = ['--as', 'me', ...keystore]
  const plan = await json('vault-migrate', [...between(servers, a, b), '--dry-run'])
  expect(plan).toMatchObject({ ok: true, dry_run: true, phase: 'planned', source: a.url, target: b.url, objects: 30 })
  const said = await run('vault-migrate', [...between(servers, a, b), '--dry-run'])
  expect(said.stdout).toContain(`to        ${b.url}, which becomes its active place`)
  const words = between(servers, a, b, 'plan').filter((word) => word !== '--timeout' && word !== '20')
  expect(await json('vault-migrate', words)).toMatchObject({ ok: true, plan: { handoff: { keys: 'new' } } })
  const usage = { error: { code: 'USAGE' } }
  expect(await json('vault-migrate', [...words, '--reason', 'cost'])).toMatchObject({ plan: { reason: 'cost' } })
  for (const more of [['--reason', 'boredom'], ['--no-handoff']])
    expect(await json('vault-migrate', [...words, ...more], 2), more[1]).toMatchObject(usage)
  const copied = ['plan', '--from', a.url, '--from-key', a.key, '--to', space.at('C'), '--peer-key', a.key, ...asking]
  const unplanned = await json<{ error: { message: string } }>('vault-migrate', copied, 2)
  expect(unplanned.error.message).toContain('is shown the key of the place in')
  const toFolder = ['run', '--dry-run', '--from', a.url, '--to', space.at('C'), '--peer-key', a.key, ...asking]
  expect(await json('vault-migrate', toFolder, 2)).toMatchObject(usage)
  const elsewhere = between(servers, a, { ...b, url: a.url, key: a.key })
  expect(await json('vault-migrate', [...elsewhere, '--dry-run'], 1)).toMatchObject({
    error: { code: 'HTTP_NOT_ALLOWED', details: { action: 'move-away' } },
  })
  expect(await json('vaultctl', ['status', b.url, '--peer-key', b.key, '--place', space.at('A')])).toMatchObject({
    vaults: [],
  })
  expect(await a.stop('SIGTERM')).toBe(0)
  expect(await state()).toEqual(untouched)

  const again = await serve(space.at('A'), ['--allow-moves', me, '--move-to', `${b.url}#${b.key}`])
  const svg = space.at('move.svg')
  const live = [...between(servers, again, b), '--live', '--svg', svg]
  const moved = await json<{ pause_ms: number; live_rounds: unknown[] }>('vault-migrate', live)
  expect(moved).toMatchObject({ ok: true, phase: 'complete', vault })
  expect(moved.live_rounds.length).toBeGreaterThan(0)
  expect(await readFile(svg, 'utf8')).toContain(`then a pause of ${moved.pause_ms} ms`)
  // It is over, and told again as it was.
  expect(await json('vault-migrate', live)).toMatchObject({ pause_ms: moved.pause_ms, live_rounds: moved.live_rounds })
})

test('two servers are compared by whoever may read the vault at both, or may copy it from there', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 5)
  const { placeOfA, vault, keystore } = servers
  for (const [name, action] of [
    ['reader', 'read'],
    ['copier', 'migrate'],
    ['auditor', 'audit'],
  ] as const) {
    await json('vaultctl', ['keys', 'new', name, '--no-passphrase', ...keystore])
    await json('vaultctl', ['caps', 'issue', space.at('A'), '--to', name, '--action', action, ...keystore])
  }
  const copied = await serve(space.at('B'), ['--allow', placeOfA])
  const copy = ['run', '--no-handoff', '--from', space.at('A'), '--to', copied.url, '--peer-key', copied.key]
  expect(await json('vault-migrate', copy)).toMatchObject({ ok: true })
  await copied.stop('SIGTERM')
  await writeFile(space.at('tree', 'newer'), 'only at A')
  await json('vaultctl', ['put', space.at('A'), 'newer'], 0, { cwd: space.at('tree') })
  // By certificates of the vault, and by no list.
  const [a, b] = await Promise.all([serve(space.at('A'), []), serve(space.at('B'), [])])
  const diff = (name: string) => [
    ...['diff', '--from', `${a.url}/vaults/${vault}`, '--from-key', a.key, '--to', b.url, '--peer-key', b.key],
    ...['--as', name, ...keystore, '--names'],
  ]
  for (const name of ['reader', 'copier']) {
    const found = await json<{ names: { name: string; where: string }[] }>('vault-migrate', diff(name), 1)
    expect(found).toMatchObject({ ok: true, same: false })
    expect(found.names).toContainEqual({ type: 'entry', name: 'path:newer', where: 'only-here' })
  }
  expect(await json('vault-migrate', diff('auditor'), 1)).toMatchObject({
    error: { code: 'HTTP_NOT_ALLOWED', details: { action: 'read' } },
  })
  // A vault that may only be read is not listed: that is said, and how to name it.
  const unnamed = diff('reader').map((word) => (word.startsWith(a.url) ? a.url : word))
  const hint = await json<{ error: { message: string } }>('vault-migrate', unnamed, 2)
  expect(hint.error.message).toContain(`name it in the address, ${a.url}/vaults/ID`)
  const local = ['diff', '--from', space.at('A'), '--to', b.url, '--peer-key', b.key, ...keystore]
  expect(await json('vault-migrate', [...local, '--as', 'copier'], 1)).toMatchObject({ error: { code: 'CAPS_DENIED' } })
  await Promise.all([a.stop('SIGTERM'), b.stop('SIGTERM')])
})

test('a part of a vault at a server comes into a vault of this machine', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 12)
  const { vault } = servers
  await json('vaultctl', ['init', space.at('M'), '--no-passphrase'])
  const { key } = await json<{ key: string }>('vaultctl', ['status', space.at('M')])
  const a = await serve(space.at('A'), ['--allow', key])
  const part = (where: string) => [
    ...['run', '--kind', 'partial', '--where', where],
    ...['--from', `${a.url}/vaults/${vault}`, '--to', space.at('M'), '--peer-key', a.key],
  ]
  const copied = await json('vault-migrate', part('key~path:f1*'))
  expect(copied).toMatchObject({ ok: true, kind: 'partial', selected: { objects: 3 }, sent: 3, state: 'active' })
  expect(await json('vault-migrate', part('key~path:f1*'))).toMatchObject({ ok: true, sent: 0 })
  const { files } = await json<{ files: { name: string }[] }>('vaultctl', ['ls', space.at('M')])
  expect(files.map(({ name }) => name)).toEqual(['f1', 'f10', 'f11'])
  expect(await json('vaultctl', ['verify', space.at('M')])).toMatchObject({ ok: true, damaged: [] })
  await a.stop('SIGTERM')
})
