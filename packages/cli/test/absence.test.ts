import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { between, prepared } from './between.ts'
import { run, type Started, scratch } from './harness.ts'
import { type Served, serve, vaultIn } from './serving.ts'

const AWAY = /^(https:\S+) does not answer: waiting for it until (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\.$/m
const BACK = /^(https:\S+) answers again, after [\d.]+ s\.$/m

/** The types of the events in a file that are about absence, with whose it is. */
async function absencesIn(file: string): Promise<readonly unknown[]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  return lines
    .map((line) => JSON.parse(line) as { readonly type: string; readonly url?: string })
    .filter(({ type }) => type === 'away' || type === 'back')
    .map(({ type, url }) => [type, url])
}

/** Calls back when a run says that it copies, with whether it has said since that a server is away. */
function onceCopying(child: Started, begun: (isTold: () => boolean) => void): void {
  let seen = ''
  let isCopying = false
  child.stderr.on('data', (text) => {
    seen += text
    if (isCopying || !/^copy /m.test(seen)) return
    isCopying = true
    begun(() => AWAY.test(seen))
  })
}

test('where nobody has ever answered, it is said what to check, and nothing has to go on', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 1)
  const nowhere = ['--to', 'https://127.0.0.1:1', '--peer-key', key, '--timeout', '3']
  for (const verb of ['plan', 'run']) {
    const ended = await run('vault-migrate', [verb, '--from', space.at('A'), ...nowhere])
    expect(ended.code).toBe(4)
    expect(ended.stderr).toMatch(AWAY)
    expect(ended.stderr).toContain('Nobody answers at https://127.0.0.1:1')
    expect(ended.stderr).toContain('has changed nothing')
    expect(ended.stderr).not.toContain('goes on')
  }
})

test('a server that goes away is told of, and that it is back, by lines and by events', async () => {
  await using space = await scratch()
  const key = await vaultIn(space, 60)
  let b = await serve(space.at('B'), ['--allow', key])
  const port = Number(new URL(b.url).port)
  const ends = ['--from', space.at('A'), '--to', b.url, '--peer-key', b.key, '--bwlimit', '300K']
  let again: Promise<void> | undefined
  const ended = await run('vault-migrate', ['run', ...ends, '--events', space.at('events')], {
    started: (child) => {
      onceCopying(child, (isTold) => {
        again = awayUntil(isTold, b, async () => {
          b = await serve(space.at('B'), ['--allow', key], { port })
        })
      })
    },
  })
  await again
  expect(ended.code, ended.stderr).toBe(0)
  expect(AWAY.exec(ended.stderr)?.[1]).toBe(b.url)
  expect(BACK.exec(ended.stderr)?.[1]).toBe(b.url)
  expect(await absencesIn(space.at('events'))).toEqual([
    ['away', b.url],
    ['back', b.url],
  ])
  await b.stop('SIGTERM')
})

test('of two servers, the first one tells that of the second one', async () => {
  await using space = await scratch()
  const servers = await prepared(space, 60)
  const { me, placeOfA } = servers
  let b = await serve(space.at('B'), ['--allow', placeOfA])
  const port = Number(new URL(b.url).port)
  const a = await serve(space.at('A'), ['--allow-moves', me, '--move-to', `${b.url}#${b.key}`])
  let again: Promise<void> | undefined
  const words = [...between(servers, a, b), '--bwlimit', '300K', '--events', space.at('events')]
  const ended = await run('vault-migrate', words, {
    started: (child) => {
      onceCopying(child, (isTold) => {
        again = awayUntil(isTold, b, async () => {
          b = await serve(space.at('B'), ['--allow', placeOfA], { port })
        })
      })
    },
  })
  await again
  expect(ended.code, ended.stderr).toBe(0)
  expect(await absencesIn(space.at('events'))).toEqual([
    ['away', b.url],
    ['back', b.url],
  ])
  await a.stop('SIGTERM')
  await b.stop('SIGTERM')
})

/** Kills a server, and begins it anew as soon as its absence has been told. */
async function awayUntil(isTold: () => boolean, served: Served, begin: () => Promise<void>): Promise<void> {
  await served.stop('SIGKILL')
  while (!isTold()) await new Promise((resolve) => setTimeout(resolve, 20))
  await begin()
}
