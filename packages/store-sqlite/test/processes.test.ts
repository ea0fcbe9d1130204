import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { isVaultError } from '@vault/core'
import type { VaultSoup } from '@vault/soup'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { nextTurn } from '../src/turn.ts'
import { commitTexts, createStore, idOf, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** What a committing process was told to be durable: sequence number and text. */
type Acknowledged = readonly [sequence: number, text: string]

function startCommitter(path: string, name: string, times: number): ChildProcess {
  const program = new URL('committer.ts', import.meta.url).pathname
  return spawn(process.execPath, ['--conditions=@vault/source', program, path, name, String(times)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

async function outputOf(child: ChildProcess): Promise<readonly Acknowledged[]> {
  let output = ''
  child.stdout?.on('data', (part: Buffer) => {
    output += part.toString()
  })
  await once(child, 'close')
  const lines = output.split('\n').slice(0, -1)
  return lines.map((line) => {
    const [sequence, text] = line.split(' ') as [string, string]
    return [Number(sequence), text]
  })
}

test('four processes commit to one vault at once: nothing is lost, and every change has its own number', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await (await createStore(path))[Symbol.asyncDispose]()
  const times = 40
  const children = ['a', 'b', 'c', 'd'].map((name) => startCommitter(path, name, times))
  const acknowledged = (await Promise.all(children.map(outputOf))).flat()
  expect(children.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0])

  const sequences = acknowledged.map(([sequence]) => sequence).sort((a, b) => a - b)
  expect(sequences).toEqual(Array.from({ length: 4 * times }, (_, i) => i + 1))
  await using store = await openSqliteSoupStore({ path, mode: 'read' })
  const soup = store.soup(VAULT)
  expect((await soup.charged(acknowledged.map(([, text]) => idOf(text)))).every(Boolean)).toBe(true)
  const fed = new Map(
    (await Array.fromAsync(soup.changes(0))).flat().map(({ sequence, subject }) => [subject, sequence]),
  )
  for (const [sequence, text] of acknowledged) expect(fed.get(`path:${text}`)).toBe(sequence)
  expect(await Array.fromAsync(soup.check())).toEqual([])
}, 60_000)

test('two drain the outbox at once while others fill it: the log has every event once, in the order of the changes', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await (await createStore(path))[Symbol.asyncDispose]()
  const times = 40
  const outputs = Promise.all(['a', 'b'].map((name) => outputOf(startCommitter(path, name, times))))
  await using first = await openSqliteSoupStore({ path, mode: 'write' })
  await using second = await openSqliteSoupStore({ path, mode: 'write' })
  const log: string[] = []
  const drain = async (soup: VaultSoup, limit: number): Promise<void> => {
    while (log.length < 2 * times) {
      const queued = await soup.queued({ limit })
      for (const { index, bytes } of queued) {
        // Another one may have written it, or settled it meanwhile: an index is written once.
        await nextTurn()
        expect(index).toBeLessThanOrEqual(log.length)
        if (index === log.length) log.push(Buffer.from(bytes).toString())
      }
      await soup.settled((queued.at(-1)?.index ?? -1) + 1)
    }
  }
  await Promise.all([drain(first.soup(VAULT), 3), drain(second.soup(VAULT), 7)])
  const committed = (await outputs).flat().sort(([a], [b]) => a - b)
  expect(log).toEqual(committed.map(([, text]) => text))
  await first.soup(VAULT).settled(log.length)
  expect(await second.soup(VAULT).queued({ limit: 1 })).toEqual([])
  expect(await second.soup(VAULT).tenure()).toMatchObject({ events: 2 * times })
  expect(await Array.fromAsync(second.soup(VAULT).check())).toEqual([])
}, 60_000)

test('a process that is killed loses nothing that it was told to be durable', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await (await createStore(path))[Symbol.asyncDispose]()
  const acknowledged: Acknowledged[] = []
  for (const run of [0, 1, 2]) {
    const child = startCommitter(path, `run${run}`, 1_000_000)
    const output = outputOf(child)
    await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')
    setTimeout(() => child.kill('SIGKILL'), 40 * (run + 1))
    const done = await output
    expect(child.signalCode).toBe('SIGKILL')
    expect(done.length).toBeGreaterThan(0)
    acknowledged.push(...done)
  }
  await using store = await openSqliteSoupStore({ path, mode: 'write' })
  const soup = store.soup(VAULT)
  expect((await soup.charged(acknowledged.map(([, text]) => idOf(text)))).every(Boolean)).toBe(true)
  const queued = new Set((await soup.queued({ limit: 1_000_000 })).map(({ bytes }) => Buffer.from(bytes).toString()))
  for (const [, text] of acknowledged) expect(queued).toContain(text)
  expect(await Array.fromAsync(soup.check())).toEqual([])
  const { sequence } = await soup.tenure()
  expect((await commitTexts(soup, ['after'])).sequence).toBe(sequence + 1)
}, 60_000)

test('a writer that never lets go makes others give up in time, with nothing changed', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await using first = await createStore(path)
  await using second = await openSqliteSoupStore({ path, mode: 'write', busyTimeout: 100 })
  const { DatabaseSync } = await import('node:sqlite')
  const holder = new DatabaseSync(path)
  holder.exec('BEGIN IMMEDIATE')
  const outcome: unknown = await commitTexts(second.soup(VAULT), ['a']).catch((error: unknown) => error)
  expect(isVaultError(outcome, 'SOUP_BUSY')).toBe(true)
  const reason = new Error('enough')
  const stopped = second.soup(VAULT).commit({ epoch: 0 }, { signal: AbortSignal.abort(reason) })
  await expect(stopped).rejects.toBe(reason)
  const waiting = commitTexts(first.soup(VAULT), ['b'])
  holder.exec('ROLLBACK')
  holder.close()
  expect((await waiting).sequence).toBe(1)
})

test('an abort while waiting ends the wait with its reason', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await using store = await createStore(path)
  const { DatabaseSync } = await import('node:sqlite')
  const holder = new DatabaseSync(path)
  holder.exec('BEGIN IMMEDIATE')
  const controller = new AbortController()
  const reason = new Error('enough')
  setTimeout(() => controller.abort(reason), 50)
  const waiting = store.soup(VAULT).commit({ epoch: 0, entries: { remove: ['x'] } }, { signal: controller.signal })
  await expect(waiting).rejects.toBe(reason)
  holder.close()
})
