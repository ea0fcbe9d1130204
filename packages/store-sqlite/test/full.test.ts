import { isVaultError, systemClock, systemRandom } from '@vault/core'
import { expect, test } from 'vitest'
import { openDatabase } from '../src/open-database.ts'
import { Place } from '../src/place.ts'
import { sqliteVaultSoup } from '../src/vault-soup.ts'
import { commitTexts, createStore, everything, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

/** SQLite reports a file at its page limit exactly as it reports a full disk: SQLITE_FULL, in the middle of a statement. */
test('a change that does not fit changes nothing, and a smaller one still goes in', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await (await createStore(path))[Symbol.asyncDispose]()
  const database = openDatabase(path, 'write')
  database.connection.exec('PRAGMA max_page_count = 80')
  const place = new Place(database, { file: path, busyTimeout: 1000, clock: systemClock, random: systemRandom })
  const soup = sqliteVaultSoup(place, VAULT, 1000)
  await commitTexts(soup, ['before'])
  const before = await everything(soup)

  const large = Array.from({ length: 3000 }, (_, i) => `text ${i}`)
  const outcome: unknown = await commitTexts(soup, large).catch((error: unknown) => error)
  expect(isVaultError(outcome, 'SOUP_WRITE_FAILED'), String(outcome)).toBe(true)
  expect((outcome as Error).cause).toBeDefined()
  expect(await everything(soup)).toEqual(before)

  expect((await commitTexts(soup, ['after'])).sequence).toBe(2)
  expect(await Array.fromAsync(soup.check())).toEqual([])
  place.close()
})

test('a root can be computed where there is no room to keep it', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await (await createStore(path))[Symbol.asyncDispose]()
  const database = openDatabase(path, 'write')
  const place = new Place(database, { file: path, busyTimeout: 1000, clock: systemClock, random: systemRandom })
  const soup = sqliteVaultSoup(place, VAULT, 1000)
  await commitTexts(soup, ['a'])
  const used = database.connection.get('PRAGMA page_count')?.page_count
  database.connection.exec(`PRAGMA max_page_count = ${used}`)
  const subtree = { hash: new Uint8Array(32), count: 1 }
  const many = new Map(Array.from({ length: 4096 }, (_, i) => [i.toString(16).padStart(3, '0'), subtree]))
  await soup.view(({ objects }) => objects.keep(many))
  expect(await soup.view(({ objects }) => objects.children('00'))).toEqual(Array.from({ length: 16 }, () => undefined))
  place.close()
})
