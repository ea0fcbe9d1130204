import { stat, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { json, run, type Started, scratch } from './harness.ts'
import { type Served, serve, vaultIn } from './serving.ts'

type Space = Awaited<ReturnType<typeof scratch>>

const ends = (space: Space, { url, key }: Served) => [
  '--from',
  space.at('A'),
  '--to',
  url,
  '--peer-key',
  key,
  '--timeout',
  '3',
]

test('a vault moves to a server, while both processes are killed on the way', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 400)
  let served = await serve(space.at('B'), ['--allow', key])
  const port = Number(new URL(served.url).port)
  let kills = 0
  for (const effect of ['announce', 'copy', 'verify', 'account', 'move-trail', 'prepare', 'sign', 'activate']) {
    const isServer = kills % 2 === 0
    let stopped: Promise<unknown> | undefined
    const started = (child: Started) => {
      let seen = ''
      child.stderr.on('data', (text) => {
        if (stopped !== undefined) return
        seen += text
        if (!seen.includes(`${effect} `)) return
        stopped = isServer ? served.stop('SIGKILL') : Promise.resolve(child.kill('SIGKILL'))
      })
    }
    const { code, stderr } = await run('vault-migrate', ['run', ...ends(space, served)], { started })
    await stopped
    // Killed, or left alone by the server: what is left to do is done by the same command.
    expect([null, 4, 0], stderr).toContain(code)
    if (stopped !== undefined) kills++
    if (isServer && stopped !== undefined) served = await serve(space.at('B'), ['--allow', key], { port })
    if (code === 0) break
  }
  expect(kills).toBeGreaterThan(4)
  const { code, stderr } = await run('vault-migrate', [
    'run',
    ...ends(space, served),
    '--certificate',
    space.at('cert'),
  ])
  expect(code, stderr).toBe(0)
  expect(await served.stop('SIGINT')).toBe(0)

  expect(await json('vaultctl', ['status', space.at('A')])).toMatchObject({ state: 'retired' })
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ state: 'active' })
  expect(await json('vaultctl', ['verify', space.at('B')])).toMatchObject({ ok: true, damaged: [] })
  await json('vault-migrate', ['certificate', space.at('B'), '-o', space.at('again')])
  expect(await json('vault-migrate', ['verify-cert', space.at('again')])).toMatchObject({ ok: true })
})

test('a copy goes to a server and comes from there; whoever is not let in, or gone, is said so', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 5)
  const served = await serve(space.at('B'), ['--allow', key])
  expect(await json('vault-migrate', ['plan', ...ends(space, served)])).toMatchObject({ ok: true })
  const different = { same: false, objects: { only_here: 5, only_there: 0 }, entries: { only_here: 5, different: 0 } }
  expect(await json('vault-migrate', ['diff', ...ends(space, served)], 1)).toMatchObject(different)
  await json('vault-migrate', ['run', '--no-handoff', ...ends(space, served), '--bwlimit', '10M'])
  expect(await json('vault-migrate', ['diff', ...ends(space, served)])).toMatchObject({ same: true })
  const verify = ['verify', ...ends(space, served)]
  expect(await json('vault-migrate', verify)).toMatchObject({ ok: true, coverage: { mode: 'proven' } })
  expect(await json('vault-migrate', [...verify, '--reread'])).toMatchObject({ ok: true, coverage: { mode: 'full' } })

  const { vault } = await json<{ vault: string }>('vaultctl', ['status', space.at('A')])
  await json('vaultctl', ['init', space.at('C'), '--no-passphrase'])
  const pull = [
    'run',
    '--no-handoff',
    '--from',
    `${served.url}/vaults/${vault}`,
    '--to',
    space.at('C'),
    '--peer-key',
    served.key,
  ]
  expect(await json('vault-migrate', pull, 1)).toMatchObject({ error: { code: 'HTTP_NOT_ALLOWED' } })
  const other = { ...served, key }
  expect(await json('vault-migrate', ['run', ...ends(space, other)], 1)).toMatchObject({
    error: { code: 'HTTP_PEER_KEY' },
  })
  await served.stop('SIGKILL')

  const { key: pulling } = await json<{ key: string }>('vaultctl', ['status', space.at('C')])
  const again = await serve(space.at('B'), ['--allow', pulling], { port: Number(new URL(served.url).port) })
  expect(await json('vault-migrate', pull)).toMatchObject({ ok: true, state: 'replica' })
  expect(await json('vault-migrate', ['verify', ...pull.slice(2)])).toMatchObject({ ok: true, findings: [] })
  expect(await again.stop('SIGTERM')).toBe(0)
  const started = performance.now()
  expect(await json('vault-migrate', ['run', ...ends(space, served)], 4)).toMatchObject({
    error: { code: 'HTTP_UNREACHABLE' },
  })
  expect(performance.now() - started).toBeLessThan(8_000)
})

test('what no address, key or rate is', async () => {
  await using space = await scratch()
  await vaultIn(space, 1)
  const run = (...more: readonly string[]) => json('vault-migrate', ['run', '--from', space.at('A'), ...more], 2)
  const usage = { error: { code: 'USAGE' } }
  expect(await run('--to', 'https://127.0.0.1:1')).toMatchObject(usage)
  expect(await run('--to', 'http://127.0.0.1:1', '--peer-key', 'x')).toMatchObject(usage)
  const key = (await json<{ key: string }>('vaultctl', ['status', space.at('A')])).key
  expect(await run('--to', 'https://127.0.0.1:1', '--peer-key', key, '--bwlimit', 'fast')).toMatchObject(usage)
  expect(await run('--to', space.at('B'), '--bwlimit', '1M')).toMatchObject(usage)
})

test('what a move back from a server, and a part of a vault, do not take', async () => {
  await using space = await scratch()
  await vaultIn(space, 1)
  const run = (verb: string, ...more: readonly string[]) =>
    json('vault-migrate', [verb, '--from', space.at('A'), ...more], 2)
  const back = ['--to', 'https://127.0.0.1:1', '--bring-newer', '--certificate', space.at('back.cert')]
  expect(await run('rollback', ...back)).toMatchObject({
    error: { code: 'USAGE', message: expect.stringContaining('only a complete migration') },
  })
  await json('vaultctl', ['init', space.at('B'), '--no-passphrase'])
  const part = ['--to', space.at('B'), '--kind', 'partial', '--where', 'key~path:*']
  for (const more of [['--live'], ['--no-handoff'], ['--svg', space.at('x.svg')], ['--max-pause', '5']])
    expect(await run('run', ...part, ...more), more[0]).toMatchObject({ error: { code: 'USAGE' } })
  const copy = ['--to', space.at('C'), '--no-handoff', '--svg', space.at('x.svg')]
  expect(await run('run', ...copy)).toMatchObject({ error: { code: 'USAGE' } })
})

test('where nothing can listen, no place is made, and that is said', async () => {
  await using space = await scratch()
  await vaultIn(space, 1)
  const served = await serve(space.at('A'), [])
  const taken = ['--port', new URL(served.url).port]
  for (const where of [taken, ['--host', '192.0.2.1']]) {
    const args = ['serve', space.at('B'), '--no-passphrase', ...where]
    expect(await json('vaultctl', args, 2)).toMatchObject({ error: { code: 'USAGE' } })
    await expect(stat(space.at('B'))).rejects.toMatchObject({ code: 'ENOENT' })
  }
  await served.stop('SIGTERM')
})

test('a part of a vault goes into an active vault at a server, and is in the audit log there', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 6)
  await json('vaultctl', ['init', space.at('B'), '--no-passphrase'])
  const { vault } = await json<{ vault: string }>('vaultctl', ['status', space.at('B')])
  const moves = await serve(space.at('B'), ['--allow', key])
  const part = ['--kind', 'partial', '--where', 'key~path:f?']
  const into = ['run', '--from', space.at('A'), '--peer-key', moves.key, '--timeout', '3', ...part, '--to']
  expect(await json('vault-migrate', [...into, `${moves.url}/vaults/${vault}`], 1)).toMatchObject({
    error: { code: 'HTTP_NOT_ALLOWED', details: { action: 'receive-part' } },
  })
  expect(await moves.stop('SIGTERM')).toBe(0)
  const served = await serve(space.at('B'), ['--allow-parts', key])
  const named = `${served.url}/vaults/${vault}`
  expect(await json('vault-migrate', [...into, served.url], 2)).toMatchObject({ error: { code: 'USAGE' } })
  await json('vaultctl', ['caps', 'issue', space.at('A'), '--to', key, '--action', 'read'])
  const before = await json('vaultctl', ['status', space.at('B')])
  const all = into.map((word) => (word === 'key~path:f?' ? 'key~*' : word))
  expect(await json('vault-migrate', [...all, named], 1)).toMatchObject({ error: { code: 'CAPS_RESERVED' } })
  expect(await json('vaultctl', ['status', space.at('B')])).toEqual(before)
  expect(await json('vault-migrate', [...into, named])).toMatchObject({ ok: true, entries: 6, state: 'active' })
  expect(await json('vault-migrate', [...into, named])).toMatchObject({ ok: true, sent: 0 })
  expect(await served.stop('SIGTERM')).toBe(0)
  expect(await json('vaultctl', ['verify', space.at('B')])).toMatchObject({ ok: true, damaged: [] })
  const { stdout } = await run('vaultctl', ['ls', space.at('B')])
  expect(['f0', 'f3', 'f5'].every((name) => stdout.includes(name))).toBe(true)
  const { stdout: log } = await run('vaultctl', ['log', space.at('B'), '--json'])
  expect(log).toContain(key)
  expect(await json('vaultctl', ['status', space.at('A')])).toMatchObject({ state: 'active' })
})

test('a vault moves live to a server while another process writes it: nothing that was acknowledged is lost', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 60)
  const served = await serve(space.at('B'), ['--allow', key])
  const acknowledged: string[] = []
  const writing = (async () => {
    for (let i = 0; ; i++) {
      await writeFile(space.at('tree', `w${i}`), `written ${i}`)
      const put = await run('vaultctl', ['put', space.at('A'), `w${i}`, '--json'], { cwd: space.at('tree') })
      if (put.code !== 0) return put.stdout
      acknowledged.push(`w${i}`)
    }
  })()
  const live = ['--live', '--max-pause', '60000', '--timeout', '30']
  const moved = await json('vault-migrate', ['run', ...ends(space, served).slice(0, -2), ...live])
  expect(moved).toMatchObject({ ok: true, state: 'active', verified: { coverage: { mode: 'proven' } } })
  expect(moved.pause_ms).toEqual(expect.any(Number))
  expect(JSON.parse(await writing)).toMatchObject({ error: { code: 'VAULT_MOVED', details: { address: served.url } } })
  expect(acknowledged.length).toBeGreaterThan(0)
  expect(await served.stop('SIGTERM')).toBe(0)
  const { stdout } = await run('vaultctl', ['ls', space.at('B')])
  const names = new Set(stdout.split('\n'))
  expect(acknowledged.filter((name) => !names.has(name))).toEqual([])
  expect(await json('vaultctl', ['verify', space.at('B')])).toMatchObject({ ok: true, damaged: [] })
})
