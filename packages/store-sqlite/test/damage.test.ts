import { readFileSync, writeFileSync } from 'node:fs'
import { idBytes, isVaultError, objectKey, utf8 } from '@vault/core'
import type { SoupView } from '@vault/soup'
import { encodeEntry, entryKey } from '@vault/soup'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { PAGE_SIZE } from '../src/schema.ts'
import { commitTexts, createStore, everything, idOf, named, object, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

const TEXTS = Array.from({ length: 20 }, (_, i) => `text ${i}`)
const POLICY = { key: 'policy-1', type: 'policy', fields: { text: 'first version' } }

/** A closed file with something in every table. */
async function makeFile(path: string): Promise<void> {
  await using store = await createStore(path)
  const soup = store.soup(VAULT)
  await commitTexts(soup, TEXTS)
  await soup.commit({ epoch: 0, objects: { add: [object('parent', 'text 0', 'text 1')] }, entries: { put: [POLICY] } })
  await soup.commit({ epoch: 0, entries: { put: [{ ...POLICY, fields: { text: 'second version' } }] } })
  await soup.condemn(['segment-under-test'])
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
  { what: 'a kept subtree', content: new Uint8Array(32).fill(0x5a), table: 'subtrees' },
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
    expect(await Array.fromAsync(store.soup(VAULT).check())).toEqual([])
    before = await everything(store.soup(VAULT))
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
      const findings = await Array.fromAsync(store.soup(VAULT).check())
      expect(findings.length, `${what}: nothing found at ${at}`).toBeGreaterThan(0)
      subjects.push(...findings.map(({ subject }) => subject?.split('/')[0]))
      await everything(store.soup(VAULT)).then(
        (after) => expect(after, `${what}: read as something else at ${at}`).toEqual(before),
        (error: unknown) => expect(isVaultError(error, 'SOUP_CORRUPT'), String(error)).toBe(true),
      )
    }
    expect(subjects, what).toContain(table)
  }
})

test('a rebuild mends what is derived', async () => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await makeFile(path)
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  db.exec('DELETE FROM linked; UPDATE subtrees SET count = 7')
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
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(path)
  const rootOf = db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?')
  const pages = ['members', 'entries', 'subtrees', 'feed'].map((table) => Number(rootOf.get(table)?.rootpage))
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
    ({ objects }) => objects.keep(new Map([['', { hash: new Uint8Array(32), count: 1 }]])),
  ]
  for (const read of reads) {
    const error: unknown = await soup.view(read).catch((reason: unknown) => reason)
    expect(isVaultError(error, 'SOUP_CORRUPT'), `${read}: ${error}`).toBe(true)
  }
})

function occurrences(bytes: Buffer, content: Uint8Array): readonly number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(content); at !== -1; at = bytes.indexOf(content, at + 1)) found.push(at)
  return found
}
