import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { between, prepared } from './between.ts'
import { json, run, scratch } from './harness.ts'
import { killOnTheWay } from './kill-on-the-way.ts'
import { serve } from './serving.ts'

test('a vault moves between two servers, while both of them and the client are killed on the way', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 300)
  const { me, placeOfA, vault, keystore } = servers
  let b = await serve(space.at('B'), ['--allow', placeOfA])
  const more = ['--move-to', `${b.url}#${b.key}`]
  let a = await serve(space.at('A'), ['--allow-moves', me, ...more])
  const [portA, portB] = [a, b].map(({ url }) => Number(new URL(url).port)) as [number, number]
  const done = await killOnTheWay(
    () => between(servers, a, b),
    [
      ['announce', 'A'],
      ['copy', 'B'],
      ['verify', 'command'],
      ['account', 'A'],
      ['prepare', 'B'],
      ['sign', 'command'],
      ['activate', 'A'],
    ],
    {
      async A() {
        await a.stop('SIGKILL')
        a = await serve(space.at('A'), ['--allow-moves', me, ...more], { port: portA })
      },
      async B() {
        await b.stop('SIGKILL')
        b = await serve(space.at('B'), ['--allow', placeOfA], { port: portB })
      },
    },
  )
  expect(done).toBeGreaterThan(3)
  const certificate = space.at('cert')
  const moved = await json('vault-migrate', [...between(servers, a, b), '--certificate', certificate])
  expect(moved).toMatchObject({ ok: true, already: true, phase: 'complete', state: 'active', vault, certificate })
  expect(await json('vault-migrate', between(servers, a, b, 'plan'))).toMatchObject({
    ...{ already: true, phase: 'complete', migration_id: moved.migration_id, target: b.url },
  })
  // Also where it had ended before clients were led there.
  const routes = space.at('routes.json')
  await json('vault-migrate', [...between(servers, a, b), '--route', routes])
  expect(JSON.parse(await readFile(routes, 'utf8'))).toMatchObject({
    [vault]: { place: b.url, epoch: 1, migration: moved.migration_id },
  })
  // What is named for that helps: there is nothing to resume any more.
  const failing = await run('vault-migrate', [...between(servers, a, b), '--route-command', 'false'])
  expect([failing.code, failing.stderr]).toEqual([4, expect.stringContaining('"vault-migrate run" with the same ends')])
  expect(await json('vault-migrate', ['verify-cert', certificate])).toMatchObject({ ok: true })
  const asking = ['--peer-key', a.key, '--as', 'me', ...keystore]
  expect(await json('vaultctl', ['status', a.url, ...asking])).toMatchObject({ vaults: [{ vault, state: 'retired' }] })
  expect(await json('vault-migrate', ['status', a.url, ...asking])).toMatchObject({
    vault,
    state: 'retired',
    migrations: [{ phase: 'complete' }],
  })
  expect(await a.stop('SIGTERM')).toBe(0)
  expect(await b.stop('SIGTERM')).toBe(0)
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ vault, state: 'active' })
  expect(await json('vaultctl', ['verify', space.at('B')])).toMatchObject({ ok: true, damaged: [] })
  const put = await json('vaultctl', ['put', space.at('A'), 'f0'], 1, { cwd: space.at('tree') })
  expect(put).toMatchObject({ error: { code: 'VAULT_MOVED', details: { address: b.url } } })
})

test('live, slowly, interrupted, paused and resumed; and what is refused says why', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 60)
  const { me, placeOfA, vault, keystore } = servers
  const b = await serve(space.at('B'), ['--allow', placeOfA])
  const more = ['--move-to', `${b.url}#${b.key}`]
  const a = await serve(space.at('A'), ['--allow-moves', me, ...more])
  const usage = { error: { code: 'USAGE' } }
  const toFolder = ['run', '--from', a.url, '--to', space.at('C'), '--peer-key', a.key, '--as', 'me', ...keystore]
  expect(await json('vault-migrate', toFolder, 2)).toMatchObject(usage)
  const move = between(servers, a, b)
  expect(await json('vault-migrate', [...move, '--ceremony', 'c'], 2)).toMatchObject(usage)
  const nobody = move.filter((part) => part !== '--as' && part !== 'me')
  expect(await json('vault-migrate', nobody, 2)).toMatchObject(usage)
  const named = nobody.map((part) => (part === a.url ? `${a.url}/vaults/${vault}` : part))
  expect(await json('vault-migrate', [...named, '--place', space.at('B')], 1)).toMatchObject({
    error: { code: 'HTTP_NOT_ALLOWED', details: { action: 'migrate' } },
  })
  const unnamed = between(servers, a, { ...b, url: a.url, key: a.key })
  expect(await json('vault-migrate', unnamed, 1)).toMatchObject({
    error: { code: 'HTTP_NOT_ALLOWED', details: { action: 'move-away' } },
  })

  const asking = ['--peer-key', a.key, '--as', 'me', ...keystore]
  const slow = [...move, '--live', '--max-pause', '60000', '--bwlimit', '30K']
  const interrupted = await run('vault-migrate', slow, {
    started: (child) => void child.stderr.on('data', (text) => /^copy /m.test(String(text)) && child.kill('SIGINT')),
  })
  expect(interrupted.code, interrupted.stderr).toBe(130)
  let paused: Promise<unknown> | undefined
  const stopped = await run('vault-migrate', slow, {
    started: (child) =>
      void child.stderr.on('data', (text) => {
        if (/^copy /m.test(String(text))) paused ??= json('vault-migrate', ['pause', a.url, ...asking])
      }),
  })
  expect(stopped.code, stopped.stderr).toBe(4)
  expect(await paused).toMatchObject({ ok: true, phase: 'paused' })
  expect(await json('vaultctl', ['status', a.url, ...asking])).toMatchObject({ vaults: [{ state: 'active' }] })
  const resumed = between(servers, a, b, 'resume')
  const events = space.at('events')
  expect(await json('vault-migrate', [...resumed, '--events', events])).toMatchObject({ ok: true, phase: 'complete' })
  const lines = (await readFile(events, 'utf8')).trim().split('\n')
  expect(lines.map((line) => JSON.parse(line)).at(-1)).toMatchObject({ type: 'moved', phase: 'complete' })
  expect(await a.stop('SIGTERM')).toBe(0)
  expect(await b.stop('SIGTERM')).toBe(0)
  expect(await json('vaultctl', ['verify', space.at('B')])).toMatchObject({ ok: true, damaged: [] })
})

test('what the move of a vault with several operators does with its identity key is told, and stays told', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 3)
  const { me, placeOfA, keystore } = servers
  const env = { env: { VAULT_KEYSTORE: space.at('keys') }, cwd: space.dir }
  const ctl = (args: readonly string[]) => json('vaultctl', args, 0, env)
  for (const who of ['ana', 'ben']) await ctl(['keys', 'new', who, '--no-passphrase'])
  await ctl(['ceremony', 'plan', 'A', '--out', 'C', '--as', 'ana', '--operators', '2:ana,ben', '--next', '1:ben'])
  for (const who of ['ana', 'ben']) await ctl(['ceremony', 'join', 'C', '--as', who])
  await ctl(['ceremony', 'join', 'C', '--vault', 'A'])
  await ctl(['ceremony', 'commit', 'C', '--to', 'A'])
  const stays = (await readdir(space.at('A', 'keys')))
    .filter((name) => name.startsWith('identity-'))
    .map((name) => `ed25519:${name.slice('identity-'.length, -'.key'.length)}`)
  const b = await serve(space.at('B'), ['--allow', placeOfA])
  const a = await serve(space.at('A'), ['--allow-moves', me, '--move-to', `${b.url}#${b.key}`])
  expect(await json('vault-migrate', between(servers, a, b, 'plan'))).toMatchObject({
    plan: { handoff: { keys: 'keep', identity_stays: stays } },
  })
  const { stdout } = await run('vault-migrate', between(servers, a, b))
  expect(stdout).toContain(`The identity key ${stays[0]} stays in ${a.url}`)
  expect(await json('vault-migrate', between(servers, a, b))).toMatchObject({ already: true, identity_stays: stays })
  const asking = ['--peer-key', a.key, '--as', 'me', ...keystore]
  expect(await json('vault-migrate', ['status', a.url, ...asking])).toMatchObject({
    migrations: [{ identity_stays: stays }],
  })
  await a.stop('SIGTERM')
  await b.stop('SIGTERM')
  expect(await json('vaultctl', ['doctor', space.at('B')], 1)).toMatchObject({ ok: false })
})
