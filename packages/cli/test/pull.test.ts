import { readFile, rename, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { json, run, scratch } from './harness.ts'
import { killOnTheWay } from './kill-on-the-way.ts'
import { type Served, serve, vaultIn } from './serving.ts'

type Space = Awaited<ReturnType<typeof scratch>>

/** A command about a server and a folder that comes for its vault. */
const coming = (space: Space, { url, key }: Pick<Served, 'url' | 'key'>, verb = 'run') => [
  verb,
  ...['--from', url, '--peer-key', key, '--to', space.at('B'), '--timeout', '20'],
]

/** The key of the place in B. */
async function keyOfB(space: Space): Promise<string> {
  return (JSON.parse(await readFile(space.at('B', 'vault.json'), 'utf8')) as { readonly key: string }).key
}

const letting = (key: string) => ['--allow-moves', key, '--move-to', key]

/** A server at A that lets the place in B come for its vault; the first try makes that place. */
async function lettingB(
  space: Space,
): Promise<{ readonly served: Served; readonly port: number; readonly key: string }> {
  const first = await serve(space.at('A'), [])
  const port = Number(new URL(first.url).port)
  await run('vault-migrate', coming(space, first))
  await first.stop('SIGTERM')
  const key = await keyOfB(space)
  return { served: await serve(space.at('A'), letting(key), { port }), port, key }
}

test('a folder comes for a vault at a server, and what it has to be let in is said on the way', async () => {
  await using space = await scratch()
  await vaultIn(space, 20)
  const { vault } = await json<{ vault: string }>('vaultctl', ['status', space.at('A')])
  let a = await serve(space.at('A'), [])
  const { port } = new URL(a.url)
  const again = async (options: readonly string[]) => {
    expect(await a.stop('SIGTERM')).toBe(0)
    a = await serve(space.at('A'), options, { port: Number(port) })
  }
  const usage = { error: { code: 'USAGE' } }
  for (const wrong of [
    ['--ceremony', 'c'],
    ['--as', 'me'],
    ['--place', space.at('A')],
    ['--passphrase-file', 'p'],
    ['--from-key', 'ed25519:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'],
  ]) {
    expect(await json('vault-migrate', [...coming(space, a), ...wrong], 2)).toMatchObject(usage)
  }
  // Only looked at, nothing is made.
  const plan = ['plan', '--from', a.url, '--peer-key', a.key, '--to', space.at('B')]
  expect(await json('vault-migrate', plan, 2)).toMatchObject({
    error: { message: expect.stringContaining('is no place yet') },
  })
  const first = await run('vault-migrate', coming(space, a))
  const key = await keyOfB(space)
  expect([first.code, first.stderr]).toEqual([2, expect.stringContaining(`which servers know by its key ${key}`)])
  expect(first.stderr).toContain(`--allow-moves ${key} --move-to ${key}`)
  expect(await json('vaultctl', ['status', space.at('B')], 1)).toMatchObject({
    error: { code: 'VAULT_NOT_FOUND', details: { key } },
  })
  await again(['--allow-moves', key])
  expect(await json('vault-migrate', coming(space, a), 1)).toMatchObject({
    error: { code: 'HTTP_NOT_ALLOWED', message: expect.stringContaining(`--move-to ${key}`) },
  })
  await again(letting(key))
  expect(await json('vault-migrate', plan)).toMatchObject({
    plan: { source: { counts: { objects: 20 } }, target: { label: key, place: key } },
  })
  const files = ['--certificate', space.at('cert'), '--route', space.at('routes.json'), '--events', space.at('events')]
  const moved = await json('vault-migrate', [...coming(space, a), '--live', ...files])
  expect(moved).toMatchObject({ ok: true, phase: 'complete', state: 'active', vault, target: space.at('B') })
  expect(moved).toHaveProperty('pause_ms')
  expect(await json('vault-migrate', ['verify-cert', space.at('cert')])).toMatchObject({ ok: true })
  expect(JSON.parse(await readFile(space.at('routes.json'), 'utf8'))).toMatchObject({
    [vault]: { place: space.at('B'), epoch: 1 },
  })
  const named = coming(space, a).map((word) => (word === '--peer-key' ? '--from-key' : word))
  expect(await json('vault-migrate', named)).toMatchObject({ already: true, phase: 'complete' })
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ vault, state: 'active' })
  expect(await json('vaultctl', ['verify', space.at('B')])).toMatchObject({ ok: true, damaged: [] })

  // What came about since is named, and goes back with the vault.
  await writeFile(space.at('tree', 'newer'), 'newer')
  await json('vaultctl', ['put', space.at('B'), 'newer'], 0, { cwd: space.at('tree') })
  const back = coming(space, a, 'rollback')
  expect(await json('vault-migrate', back, 1)).toMatchObject({
    error: { code: 'MIGRATION_COMPLETE', message: expect.stringContaining('path:newer') },
  })
  expect(await json('vault-migrate', [...back, '--bring-newer'])).toMatchObject({
    ...{ ok: true, phase: 'complete', returns: moved.migration_id, newer: 2, target: a.url },
  })
  // And the folder comes for it once more, where it went from there to the server.
  const toServer = ['--from', space.at('B'), '--to', a.url, '--peer-key', a.key, '--timeout', '20']
  expect(await json('vault-migrate', ['run', ...toServer, '--back'])).toMatchObject({
    ...{ ok: true, phase: 'complete', target: space.at('B') },
  })
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ state: 'active', epoch: 3, objects: 21 })
  expect(await a.stop('SIGTERM')).toBe(0)
})

test('it comes for it while both of them are killed on the way', async () => {
  await using space = await scratch()
  await vaultIn(space, 300)
  const { vault } = await json<{ vault: string }>('vaultctl', ['status', space.at('A')])
  const { served, port, key } = await lettingB(space)
  let a = served
  const done = await killOnTheWay(
    () => coming(space, a),
    [
      ['announce', 'A'],
      ['copy', 'command'],
      ['copy', 'A'],
      ['verify', 'command'],
      ['prepare', 'A'],
      ['sign', 'command'],
      ['activate', 'A'],
      ['conclude', 'command'],
    ],
    {
      async A() {
        await a.stop('SIGKILL')
        a = await serve(space.at('A'), letting(key), { port })
      },
    },
  )
  expect(done).toBeGreaterThan(3)
  expect(await json('vault-migrate', coming(space, a))).toMatchObject({ already: true, phase: 'complete', vault })
  expect(await a.stop('SIGTERM')).toBe(0)
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ vault, state: 'active', objects: 300 })
  expect(await json('vaultctl', ['verify', space.at('B')])).toMatchObject({ ok: true, damaged: [] })
  const put = await json('vaultctl', ['put', space.at('A'), 'f0'], 1, { cwd: space.at('tree') })
  expect(put).toMatchObject({ error: { code: 'VAULT_MOVED' } })
})

test('interrupted it stops and goes on, and is taken back before it is complete', async () => {
  await using space = await scratch()
  await vaultIn(space, 60)
  const { served: a } = await lettingB(space)
  const slow = [...coming(space, a), '--bwlimit', '30K']
  const interrupted = await run('vault-migrate', slow, {
    started: (child) => void child.stderr.on('data', (text) => /^copy /m.test(String(text)) && child.kill('SIGINT')),
  })
  expect(interrupted.code, interrupted.stderr).toBe(130)
  expect(await json('vaultctl', ['status', space.at('A')])).toMatchObject({ state: 'active' })
  expect(await json('vault-migrate', coming(space, a, 'rollback'))).toMatchObject({ ok: true, phase: 'rolled-back' })
  expect(await json('vaultctl', ['status', space.at('B')], 1)).toMatchObject({ error: { code: 'VAULT_NOT_FOUND' } })
  // A folder that is gone is not made again, and the server is not asked in the name of another one.
  await rename(space.at('B'), space.at('gone'))
  for (const verb of ['resume', 'rollback'] as const) {
    const lost = await run('vault-migrate', coming(space, a, verb))
    expect([lost.code, lost.stderr]).toEqual([2, expect.stringContaining('--without-target')])
  }
  await rename(space.at('gone'), space.at('B'))
  const again = await run('vault-migrate', slow, {
    started: (child) => void child.stderr.on('data', (text) => /^copy /m.test(String(text)) && child.kill('SIGINT')),
  })
  expect(again.code, again.stderr).toBe(130)
  // Nobody else could bring it over: what has begun to pass is not left half-way.
  const passing = await run('vault-migrate', coming(space, a, 'resume'), {
    started: (child) => void child.stderr.on('data', (text) => /^sign /m.test(String(text)) && child.kill('SIGINT')),
  })
  expect([passing.code, passing.stderr]).toEqual([0, expect.stringContaining('That is ended first')])
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ state: 'active', objects: 60 })
  expect(await a.stop('SIGTERM')).toBe(0)
})
