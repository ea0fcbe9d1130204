import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import type { SoupStore } from '@vault/soup'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { commitTexts, createStore, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

const PROGRAM = new URL('foreign-reader.ts', import.meta.url).pathname
const ROWS = 3000

/** Texts of changes that touch many pages. */
function texts(change: string): readonly string[] {
  return Array.from({ length: ROWS }, (_, i) => `${change} ${i}`)
}

async function ask(reader: ChildProcess, command: string): Promise<unknown> {
  reader.send(command)
  return (await once(reader, 'message'))[0]
}

test('who cannot write the folder never reads what is old or mixed while another user writes', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  /** Writes with the folder open to it, and closes the folder again. */
  const writing = async (change: string): Promise<SoupStore> => {
    chmodSync(folder.path, 0o755)
    const store = await openSqliteSoupStore({ path, mode: 'write' })
    await commitTexts(store.soup(VAULT), texts(change))
    chmodSync(folder.path, 0o555)
    return store
  }
  await (await createStore(path))[Symbol.asyncDispose]()
  await (await writing('first'))[Symbol.asyncDispose]()
  const reader = fork(PROGRAM, [path], { execArgv: ['--conditions=@vault/source'] })
  try {
    await once(reader, 'message')
    expect(await ask(reader, 'members')).toBe(ROWS)

    await (await writing('second'))[Symbol.asyncDispose]()
    expect(await ask(reader, 'members'), 'written and closed').toBe(2 * ROWS)

    expect(await ask(reader, 'hold')).toBe('holding')
    await (await writing('third'))[Symbol.asyncDispose]()
    expect(await ask(reader, 'go on'), 'a view that was begun before').toBe('SOUP_BUSY')
    expect(await ask(reader, 'check')).toEqual([])

    {
      await using _writer = await writing('fourth')
      const beside = [`${path}-wal`, `${path}-shm`]
      for (const file of beside) chmodSync(file, 0)
      expect(await ask(reader, 'members'), 'being written').toBe('SOUP_BUSY')
      expect(await ask(reader, 'check'), 'being written').toBe('SOUP_BUSY')
      for (const file of beside) chmodSync(file, 0o644)
      expect(await ask(reader, 'members'), 'being written, with a log that can be read').toBe(4 * ROWS)
      chmodSync(folder.path, 0o755)
    }
    expect(await ask(reader, 'members'), 'closed again').toBe(4 * ROWS)
  } finally {
    chmodSync(folder.path, 0o755)
    reader.send('end')
    await once(reader, 'exit')
  }
}, 20_000)
