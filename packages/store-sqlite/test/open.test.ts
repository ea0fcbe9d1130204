import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { isVaultError } from '@vault/core'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { commitTexts, createStore, everything, idOf, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

const MODES = ['create', 'write', 'read'] as const

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (isVaultError(error) ? error.code : error),
  )
}

test('what was committed is there when the file is opened again, for writing and for reading', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  let before: unknown
  {
    await using store = await createStore(path)
    await commitTexts(store.soup(VAULT), ['a', 'b'])
    before = await everything(store.soup(VAULT))
  }
  expect(existsSync(`${path}-wal`)).toBe(false)
  for (const mode of MODES) {
    await using store = await openSqliteSoupStore({ path, mode })
    expect(await everything(store.soup(VAULT))).toEqual(before)
  }
})

test('reading sees what a writer commits meanwhile', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await using writer = await createStore(path)
  await using reader = await openSqliteSoupStore({ path, mode: 'read' })
  await commitTexts(writer.soup(VAULT), ['a'])
  expect(await reader.soup(VAULT).charged([idOf('a'), idOf('b')])).toEqual([true, false])
})

test('a store that is open for reading changes nothing', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await using writer = await createStore(path)
  await using reader = await openSqliteSoupStore({ path, mode: 'read' })
  const soup = reader.soup(VAULT)
  expect(await codeOf(commitTexts(soup, ['a']))).toBe('SOUP_WRITE_FAILED')
  expect(await codeOf(reader.reclaim.condemn(['s']))).toBe('SOUP_WRITE_FAILED')
  expect(await codeOf(soup.rebuild())).toBe('SOUP_WRITE_FAILED')
  await soup.view(({ objects }) => objects.keep(new Map([['', { hash: new Uint8Array(32), count: 1 }]])))
  expect((await writer.soup(VAULT).tenure()).sequence).toBe(0)
})

test('a file that is missing, foreign, empty or newer is refused and not touched', async () => {
  using folder = temporaryFolder()
  for (const mode of ['write', 'read'] as const) {
    expect(await codeOf(openSqliteSoupStore({ path: folder.file('missing'), mode }))).toBe('SOUP_FORMAT')
  }
  expect(existsSync(folder.file('missing'))).toBe(false)

  writeFileSync(folder.file('text'), 'no database '.repeat(1000))
  const other = new DatabaseSync(folder.file('other'))
  other.exec('CREATE TABLE members (a)')
  other.close()
  await (await createStore(folder.file('newer')))[Symbol.asyncDispose]()
  const newer = new DatabaseSync(folder.file('newer'))
  newer.exec('PRAGMA user_version = 2')
  newer.close()
  for (const name of ['text', 'other', 'newer']) {
    for (const mode of MODES) {
      expect(await codeOf(openSqliteSoupStore({ path: folder.file(name), mode })), `${name}, ${mode}`).toBe(
        'SOUP_FORMAT',
      )
    }
  }
  writeFileSync(folder.file('empty'), '')
  expect(await codeOf(openSqliteSoupStore({ path: folder.file('empty'), mode: 'write' }))).toBe('SOUP_FORMAT')
})

test('a table that is not of the format is refused: a trigger in it would run in our transactions', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await (await createStore(path))[Symbol.asyncDispose]()
  const db = new DatabaseSync(path)
  db.exec('CREATE TRIGGER t AFTER INSERT ON members BEGIN DELETE FROM entries; END')
  db.close()
  for (const mode of MODES) expect(await codeOf(openSqliteSoupStore({ path, mode }))).toBe('SOUP_CORRUPT')
})

test('a truncated file is found when it is opened, read or checked', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  {
    await using store = await createStore(path)
    await commitTexts(
      store.soup(VAULT),
      Array.from({ length: 2000 }, (_, i) => `text ${i}`),
    )
  }
  for (const length of [100_000, 16_384, 8192, 5000, 100]) {
    truncateSync(path, length)
    const found = await codeOf(
      (async () => {
        await using store = await openSqliteSoupStore({ path, mode: 'write' })
        const findings = await Array.fromAsync(store.soup(VAULT).check())
        expect(findings.length).toBeGreaterThan(0)
        await everything(store.soup(VAULT))
      })(),
    )
    expect(['SOUP_CORRUPT', 'SOUP_FORMAT'], `${length} bytes: ${String(found)}`).toContain(found)
  }
})

test('a folder that is not writable can be read, and nothing is made in it', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  {
    await using store = await createStore(path)
    await commitTexts(store.soup(VAULT), ['a'])
  }
  chmodSync(path, 0o444)
  chmodSync(folder.path, 0o555)
  try {
    const program = new URL('read-only-reader.ts', import.meta.url).pathname
    const child = spawnSync(process.execPath, ['--conditions=@vault/source', program, path], { encoding: 'utf8' })
    expect(child.stderr).toBe('')
    expect(JSON.parse(child.stdout)).toEqual({ entries: 1, writable: false, root: 1 })
    expect(existsSync(`${path}-shm`)).toBe(false)
  } finally {
    chmodSync(folder.path, 0o755)
  }
})
