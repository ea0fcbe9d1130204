import { readFileSync, writeFileSync } from 'node:fs'
import type { Finding } from '@vault/core'
import { idBytes, isVaultError, objectKey, utf8 } from '@vault/core'
import type { MendableRecords, SoupStore, SoupView } from '@vault/soup'
import { encodeEntry, entryKey } from '@vault/soup'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { PAGE_SIZE } from '../src/schema.ts'
import { commitTexts, createStore, everything, idOf, named, object, receiveOver, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

const TEXTS = Array.from({ length: 20 }, (_, i) => `text ${i}`)
const POLICY = { key: 'policy-1', type: 'policy', fields: { text: 'first version' } }

/** A vault that is being received over what was there. */
const RETURNING = idOf('returning vault')

/** A closed file with something in every table, and nothing in free space, where flips do no harm. */
async function makeFile(path: string): Promise<void> {
  await fillFile(path)
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  db.exec('VACUUM')
  db.close()
}

async function fillFile(path: string): Promise<void> {
  await using store = await createStore(path)
  await receiveOver(store, RETURNING)
  await store.records.swap('record/1', 0, utf8('record under test'))
  const soup = store.soup(VAULT)
  await commitTexts(soup, TEXTS)
  await soup.commit({ epoch: 0, objects: { add: [object('parent', 'text 0', 'text 1')] }, entries: { put: [POLICY] } })
  await soup.commit({ epoch: 0, entries: { put: [{ ...POLICY, fields: { text: 'second version' } }] } })
  await store.reclaim.condemn(['segment-under-test'])
  await soup.commit({
    epoch: 0,
    events: ['event under test', 'third', 'last'].map(utf8),
    hold: [object('held under test')],
  })
  const active = { state: 'active', epoch: 0 } as const
  await store.tenures.transition(VAULT, active, { ...active, keyEvents: [utf8('envelope under test')] })
  const kept = { hash: new Uint8Array(32).fill(0x5a), count: 21 }
  await soup.view(({ objects }) => objects.keep(new Map([['7', kept]])))
}

/** Known content of one row, and where it is found again: `table` as `check` names it. */
const PLACES: readonly { readonly what: string; readonly content: Uint8Array; readonly table: string }[] = [
  { what: 'id of a member', content: idBytes(idOf('text 3')), table: 'members' },
  { what: 'key of a member', content: objectKey(idOf('text 3')), table: 'members' },
  {
    what: 'links of a member',
    content: Buffer.concat([idBytes(idOf('text 0')), idBytes(idOf('text 1'))]),
    table: 'members',
  },
  { what: 'bytes of an entry', content: encodeEntry(named('text 4', 'text 4')), table: 'entries' },
  { what: 'key of an entry', content: entryKey('path:text 4'), table: 'entries' },
  { what: 'bytes of a version', content: encodeEntry(POLICY), table: 'versions' },
  {
    what: 'items of the feed',
    content: Buffer.concat([objectKey(idOf('text 5')).subarray(0, 2), idBytes(idOf('text 5'))]),
    table: 'feed',
  },
  { what: 'a key event', content: utf8('envelope under test'), table: 'key_events' },
  { what: 'a condemned segment', content: utf8('segment-under-test'), table: 'condemned' },
  { what: 'a kept subtree', content: new Uint8Array(32).fill(0x5a), table: 'branches' },
  { what: 'a held block', content: idBytes(idOf('held under test')), table: 'held' },
  { what: 'an event that waits', content: utf8('event under test'), table: 'outbox' },
  { what: 'the document of a move', content: utf8('evidence under test'), table: 'evidence' },
  { what: 'the record of a batch', content: utf8('batch under test'), table: 'batches' },
  { what: 'a displaced entry', content: encodeEntry(named('old', 'old')), table: 'displaced' },
  { what: 'key of a displaced member', content: objectKey(idOf('old')), table: 'displaced' },
  { what: 'a record of the place', content: utf8('record under test'), table: 'records' },
  { what: 'the tenure', content: Buffer.concat([idBytes(VAULT), utf8('active')]), table: 'tenures' },
]

test('a flipped bit in any row is found by a check, and never read as something else', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await makeFile(path)
  const sound = readFileSync(path)
  let before: unknown
  {
    await using store = await openSqliteSoupStore({ path, mode: 'read' })
    expect(await findingsOf(store)).toEqual([])
    before = await allOf(store)
  }
  for (const { what, content, table } of PLACES) {
    const places = occurrences(sound, content)
    expect(places.length, what).toBeGreaterThan(0)
    const subjects: unknown[] = []
    for (const place of places) {
      const damaged = Buffer.from(sound)
      const at = place + content.length - 1
      damaged[at] = (damaged[at] as number) ^ 1
      writeFileSync(path, damaged)
      await using store = await openSqliteSoupStore({ path, mode: 'read' })
      const findings = await findingsOf(store)
      expect(findings.length, `${what}: nothing found at ${at}`).toBeGreaterThan(0)
      subjects.push(...findings.map(({ subject }) => subject?.split('/')[0]))
      await allOf(store).then(
        (after) => expect(after, `${what}: read as something else at ${at}`).toEqual(before),
        (error: unknown) => expect(isVaultError(error, 'SOUP_CORRUPT'), String(error)).toBe(true),
      )
    }
    expect(subjects, what).toContain(table)
  }
})

test('a flipped bit in the key of an object, or in its id, stops whoever makes a root of the keys', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await makeFile(path)
  const sound = readFileSync(path)
  const id = idOf('text 5')
  let stopped = 0
  for (const content of [objectKey(id), idBytes(id)]) {
    for (const place of occurrences(sound, content)) {
      const damaged = Buffer.from(sound)
      damaged[place + content.length - 1] = (damaged[place + content.length - 1] as number) ^ 1
      writeFileSync(path, damaged)
      await using store = await openSqliteSoupStore({ path, mode: 'read' })
      const keys = store.soup(VAULT).view(({ objects }) => objects.scan({ prefix: '', limit: 1_000 }))
      await keys.then(
        () => {},
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'SOUP_CORRUPT', details: { table: 'members' } })
          stopped++
        },
      )
    }
  }
  // Both stand in other tables, too, of which no root is made.
  expect(stopped).toBe(2)
})

test('a rebuild mends what is derived', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await makeFile(path)
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  db.exec("DELETE FROM linked; UPDATE branches SET tree = 'entries'")
  db.close()
  await using store = await openSqliteSoupStore({ path, mode: 'write' })
  const soup = store.soup(VAULT)
  expect((await Array.fromAsync(soup.check())).length).toBeGreaterThan(0)
  await soup.rebuild()
  expect(await Array.fromAsync(soup.check())).toEqual([])
  const { released } = await soup.commit({
    epoch: 0,
    entries: { remove: ['path:text 0'] },
    objects: { release: [idOf('text 0')] },
  })
  expect(released, 'the parent still links to it').toBe(0)
})

test('a damaged page is named in a view as it is outside of one', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await makeFile(path)
  {
    await using store = await openSqliteSoupStore({ path, mode: 'write' })
    // For what has changed since something was kept, the feed is read.
    await commitTexts(store.soup(VAULT), ['changed since'])
  }
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  const rootOf = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?')
  const pages = ['members', 'entries', 'branches', 'feed'].map((table) => Number(rootOf.get(table)?.rootpage))
  db.close()
  const damaged = readFileSync(path)
  for (const page of pages) damaged.fill(0x5a, (page - 1) * PAGE_SIZE, (page - 1) * PAGE_SIZE + 64)
  writeFileSync(path, damaged)
  await using store = await openSqliteSoupStore({ path, mode: 'read' })
  const soup = store.soup(VAULT)
  const reads: readonly ((view: SoupView) => Promise<unknown>)[] = [
    ({ objects }) => objects.scan({ prefix: '', limit: 10 }),
    ({ entries }) => entries.scan({ prefix: '', limit: 10 }),
    ({ objects }) => objects.children(''),
    ({ objects }) => objects.keep(new Map([['7', { hash: new Uint8Array(32), count: 1 }]])),
  ]
  for (const read of reads) {
    const error: unknown = await soup.view(read).catch((reason: unknown) => reason)
    expect(isVaultError(error, 'SOUP_CORRUPT'), `${read}: ${error}`).toBe(true)
  }
})

test('a damaged row that was displaced is not put back', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await makeFile(path)
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  db.exec("UPDATE displaced SET was = NULL WHERE kind = 'entries' AND was IS NOT NULL")
  db.close()
  await using store = await openSqliteSoupStore({ path, mode: 'write' })
  const soup = store.soup(RETURNING)
  const before = await everything(soup)
  const restore = soup.restore({ migration: 'm1', driver: 7, limit: 100 })
  await expect(restore).rejects.toMatchObject({ code: 'SOUP_CORRUPT', details: { table: 'displaced' } })
  expect(await everything(soup)).toEqual(before)
})

test.each([
  ['an event in the middle', 'outbox', 'DELETE FROM outbox WHERE n = 2'],
  ['the first event', 'outbox', 'DELETE FROM outbox WHERE n = 0'],
  ['the last event', 'outbox', 'DELETE FROM outbox WHERE n = 3'],
  ['a batch', 'batches', 'UPDATE batches SET n = 2'],
  ['a displaced row', 'displaced', "DELETE FROM displaced WHERE kind = 'members'"],
])('%s that is missing is found', async (_what, table, sql) => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await makeFile(path)
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  expect(Number(db.prepare(sql).run().changes)).toBeGreaterThan(0)
  db.close()
  await using store = await openSqliteSoupStore({ path, mode: 'read' })
  expect((await findingsOf(store)).length).toBeGreaterThan(0)
  if (table === 'outbox')
    await expect(store.soup(VAULT).queued({ limit: 100 })).rejects.toMatchObject({ code: 'SOUP_CORRUPT' })
})

async function findingsOf(store: SoupStore): Promise<readonly Finding[]> {
  return [
    ...(await Array.fromAsync(store.soup(VAULT).check())),
    ...(await Array.fromAsync(store.soup(RETURNING).check())),
  ]
}

/** Everything of the place that can be read. */
async function allOf({ tenures, records, soup }: SoupStore): Promise<unknown> {
  const evidence = await tenures.evidence(RETURNING)
  const listed = await records.list('')
  return {
    evidence,
    listed,
    record: await records.read('record/1'),
    vaults: [await everything(soup(VAULT)), await everything(soup(RETURNING))],
  }
}

function occurrences(bytes: Buffer, content: Uint8Array): readonly number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(content); at !== -1; at = bytes.indexOf(content, at + 1)) found.push(at)
  return found
}

test('a damaged record is written anew by who knows what it is to hold, and no other one is', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  const code = async (work: Promise<unknown>) =>
    await work.then(
      () => undefined,
      (error) => (isVaultError(error) ? error.code : error),
    )
  {
    await using store = await createStore(path)
    for (const text of ['a', 'b']) await store.records.swap('one', text === 'a' ? 0 : 1, utf8(text))
    await store.records.swap('two', 0, utf8('c'))
    await store.records.swap('four', 0, utf8('d'))
  }
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  db.exec(`UPDATE records SET "check" = "check" + 1 WHERE key IN ('one', 'four')`)
  db.close()
  await using store = await openSqliteSoupStore({ path, mode: 'write' })
  const records = store.records as MendableRecords
  expect(await code(records.read('one'))).toBe('SOUP_CORRUPT')
  expect(await code(records.swap('one', 2, utf8('d')))).toBe('SOUP_CORRUPT')
  for (const key of ['two', 'three']) expect(await code(records.mend(key, utf8('d')))).toBe('SOUP_CONFLICT')
  expect(await records.mend('one', utf8('d'))).toBe(3)
  expect(await records.read('one')).toEqual({ version: 3, bytes: utf8('d') })
  expect(await code(records.mend('one', utf8('e')))).toBe('SOUP_CONFLICT')
  expect(await code(records.mend('one', undefined))).toBe('SOUP_CONFLICT')
  await records.mend('four', undefined)
  expect([await records.read('four'), await records.list('')]).toEqual([undefined, ['one', 'two']])
  expect(await records.read('two')).toEqual({ version: 1, bytes: utf8('c') })
})
