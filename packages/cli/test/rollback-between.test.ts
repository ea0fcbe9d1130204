import { writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { between, prepared, type Servers } from './between.ts'
import { json, run, type Started, scratch } from './harness.ts'
import { type Served, serve } from './serving.ts'

/** Kills the one that is named when the step of that name begins, once, and begins it anew where it is a server. */
function killing(kills: readonly (readonly [step: string, kill: (child: Started) => Promise<void> | void])[]) {
  let done = 0
  let stopped: Promise<unknown> = Promise.resolve()
  return {
    done: () => done,
    stopped: () => stopped,
    started: (child: Started) => {
      let seen = ''
      child.stderr.on('data', (text) => {
        seen += text
        const [step, kill] = kills[done] ?? []
        if (step === undefined || kill === undefined || !seen.includes(`${step} `)) return
        seen = ''
        done++
        stopped = stopped.then(() => kill(child))
      })
    },
  }
}

/** Two servers, each of which may move vaults to the other one, and how each is begun anew. */
async function bothWays(at: (name: string) => string, { me, placeOfA }: Servers) {
  let b = await serve(at('B'), ['--allow', placeOfA])
  let a = await serve(at('A'), ['--allow', b.key, '--allow-moves', me, '--move-to', `${b.url}#${b.key}`])
  const [portA, portB] = [a, b].map(({ url }) => Number(new URL(url).port)) as [number, number]
  const beginA = async () => {
    await a.stop('SIGKILL')
    const options = ['--allow', b.key, '--allow-moves', me, '--move-to', `${b.url}#${b.key}`]
    a = await serve(at('A'), options, { port: portA })
  }
  const beginB = async () => {
    await b.stop('SIGKILL')
    const options = ['--allow', placeOfA, '--allow-moves', me, '--move-to', `${a.url}#${a.key}`]
    b = await serve(at('B'), options, { port: portB })
  }
  await beginB()
  return { a: () => a, b: () => b, beginA, beginB }
}

const asking = ({ key }: Served, { keystore }: Servers) => ['--peer-key', key, '--as', 'me', ...keystore]

test('a move that was stopped is taken back, while both servers and the client are killed', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 40)
  const { vault } = servers
  const { a, b, beginA, beginB } = await bothWays(space.at, servers)
  const stopped = await run('vault-migrate', [...between(servers, a(), b()), '--bwlimit', '30K'], {
    started: (child) => void child.stderr.on('data', (text) => /^copy /m.test(String(text)) && child.kill('SIGINT')),
  })
  expect(stopped.code, stopped.stderr).toBe(130)
  const there = async (served: Served) =>
    (await json<{ vaults: { state: string }[] }>('vaultctl', ['status', served.url, ...asking(served, servers)])).vaults
  expect(await there(b())).toMatchObject([{ state: 'receiving' }])

  const kills = killing([
    ['reopen', (child) => void child.kill('SIGKILL')],
    ['reopen', beginA],
    ['decline', beginB],
  ])
  for (let runs = 0, code: number | null = null; code !== 0; runs++) {
    expect(runs).toBeLessThan(6)
    const words = [...between(servers, a(), b(), 'rollback'), '--reason', 'too slow']
    const ended = await run('vault-migrate', words, { started: kills.started })
    await kills.stopped()
    code = ended.code
    expect([null, 4, 0], ended.stderr).toContain(code)
  }
  expect(kills.done()).toBeGreaterThan(0)
  const again = await json('vault-migrate', between(servers, a(), b(), 'rollback'))
  expect(again).toMatchObject({ ok: true, phase: 'rolled-back', reason: 'too slow', vault })
  expect(await there(a())).toMatchObject([{ state: 'active' }])
  expect(await there(b())).toEqual([])
  const unallowed = between(servers, a(), b(), 'rollback').flatMap((word) => (word === '--as' ? ['--place'] : [word]))
  const other = unallowed.map((word) =>
    word === 'me' ? space.at('B') : word === a().url ? `${word}/vaults/${vault}` : word,
  )
  expect(await json('vault-migrate', other, 1)).toMatchObject({ error: { code: 'HTTP_NOT_ALLOWED' } })
  expect(await json('vault-migrate', between(servers, a(), b()))).toMatchObject({ ok: true, phase: 'complete' })
  expect(await a().stop('SIGTERM')).toBe(0)
  expect(await b().stop('SIGTERM')).toBe(0)
  const verbs = await json<{ entries: unknown[] }>('vaultctl', [
    'log',
    space.at('A'),
    '--query',
    'verb=migration-rolled-back',
  ])
  expect(verbs.entries).toHaveLength(1)
})

test('what is complete is refused and what came about since is named; it comes back with it, while both servers are killed', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 20)
  const { vault } = servers
  const { a, b, beginA, beginB } = await bothWays(space.at, servers)
  expect(await json('vault-migrate', between(servers, a(), b()))).toMatchObject({ phase: 'complete' })
  await b().stop('SIGTERM')
  await writeFile(space.at('tree', 'newer'), 'written at B')
  await json('vaultctl', ['put', space.at('B'), 'newer'], 0, { cwd: space.at('tree') })
  const roots = async (dir: string) => {
    const { objects_root, soup_root } = await json<Record<string, unknown>>('vaultctl', ['root', dir])
    return { objects_root, soup_root }
  }
  const before = await roots(space.at('B'))
  await beginB()

  const rollback = () => between(servers, a(), b(), 'rollback')
  const refused = await json<{ error: { message: string; details: { newer: { name: string }[] } } }>(
    'vault-migrate',
    rollback(),
    1,
  )
  expect(refused).toMatchObject({ error: { code: 'MIGRATION_COMPLETE', details: { total: 2 } } })
  expect(refused.error.details.newer.map(({ name }) => name)).toContain('path:newer')

  const kills = killing([
    ['copy', beginA],
    ['account', beginB],
    ['activate', beginA],
  ])
  const certificate = space.at('back.cert')
  const words = () => [...rollback(), '--bring-newer', '--certificate', certificate]
  for (let runs = 0, code: number | null = null; code !== 0; runs++) {
    expect(runs).toBeLessThan(6)
    const ended = await run('vault-migrate', words(), { started: kills.started })
    await kills.stopped()
    code = ended.code
    expect([null, 4, 0], ended.stderr).toContain(code)
  }
  expect(kills.done()).toBeGreaterThan(0)
  // Its answer may have been lost: asked again, it is said how it ended.
  expect(await json('vault-migrate', words())).toMatchObject({ ok: true, phase: 'complete', state: 'active', vault })
  expect(await json('vault-migrate', ['verify-cert', certificate])).toMatchObject({ ok: true })
  expect(await a().stop('SIGTERM')).toBe(0)
  expect(await b().stop('SIGTERM')).toBe(0)
  expect(await json('vaultctl', ['status', space.at('A')])).toMatchObject({ vault, state: 'active' })
  expect(await json('vaultctl', ['status', space.at('B')])).toMatchObject({ vault, state: 'retired' })
  expect(await roots(space.at('A'))).toEqual(before)
  expect(await json('vaultctl', ['verify', space.at('A')])).toMatchObject({ ok: true, damaged: [] })
})
