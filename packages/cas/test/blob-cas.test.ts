import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Blobs } from '@vault/cas'
import { createBlobCas } from '@vault/cas'
import { casContract } from '@vault/cas/testing'
import type { ContentId } from '@vault/core'
import { contentId, copyBytes, idBytes, idFromBytes, utf8 } from '@vault/core'
import { afterAll, describe, expect, it } from 'vitest'

const dir = await mkdtemp(join(tmpdir(), 'vault-blobs-'))
afterAll(() => rmSync(dir, { recursive: true }))

let tables = 0

/** A table of somebody's database, with a look at how it was asked. */
function table(): Blobs & { readonly asked: number[]; readonly written: number[]; damage(id: ContentId): void } {
  const db = new DatabaseSync(join(dir, `${tables++}.sqlite`))
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE content (key BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID')
  const select = db.prepare('SELECT bytes FROM content WHERE key = ?')
  const insert = db.prepare('INSERT OR REPLACE INTO content VALUES (?, ?)')
  const page = db.prepare('SELECT key FROM content WHERE key > ? ORDER BY key LIMIT ?')
  const find = (id: ContentId) => {
    const row = select.get(idBytes(id))
    return row && copyBytes(row.bytes as Uint8Array)
  }
  const [asked, written]: [number[], number[]] = [[], []]
  return {
    asked,
    written,
    damage: (id) => void insert.run(idBytes(id), utf8('something else')),
    async read(ids) {
      asked.push(ids.length)
      return ids.map(find)
    },
    has: async (ids) => ids.map((id) => find(id) !== undefined),
    async write(blocks) {
      written.push(blocks.length)
      for (const { id, bytes } of blocks) insert.run(idBytes(id), bytes)
    },
    async list({ after, limit }) {
      const rows = page.all(after === undefined ? new Uint8Array() : idBytes(after), limit)
      return rows.map((row) => idFromBytes(row.key as Uint8Array))
    },
  }
}

describe('a table with bytes under keys keeps the contract', () => {
  for (const { name, run } of casContract) it(name, () => run(createBlobCas(table())))
})

describe('a store over bytes that are kept elsewhere', () => {
  it('gives no bytes that are not what their id names', async () => {
    const blobs = table()
    const store = createBlobCas(blobs)
    const [sound, bad, none] = [await store.put(utf8('a')), await store.put(utf8('b')), contentId(utf8('c'))]
    blobs.damage(bad)
    await expect(store.get(bad)).rejects.toMatchObject({ code: 'CAS_CORRUPT', details: { id: bad } })
    const [answer] = await Array.fromAsync(store.getMany([[bad, none, sound]]))
    expect(answer).toMatchObject({ blocks: [{ id: sound }], absent: [none], damaged: [bad] })
  })

  it('writes each batch at once, and none that has a wrong block', async () => {
    const blobs = table()
    const store = createBlobCas(blobs)
    const block = (text: string) => ({ id: contentId(utf8(text)), bytes: utf8(text) })
    const wrong = { id: contentId(utf8('x')), bytes: utf8('y') }
    const batches = [[block('a'), block('b')], [], [block('c'), wrong], [block('d')]]
    const acks: string[] = []
    const writing = (async () => {
      for await (const { segment } of store.putMany(batches)) acks.push(segment)
    })()
    await expect(writing).rejects.toMatchObject({ code: 'CAS_CORRUPT', details: { id: wrong.id } })
    expect([acks, blobs.written]).toEqual([['blobs', ''], [2]])
    expect(await store.has(block('c').id)).toBe(false)
  })

  it('reads what is long in pieces, a few blocks at a time', async () => {
    const blobs = table()
    const store = createBlobCas(blobs)
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => store.put(new Uint8Array(1024 * 1024).fill(i))))
    const pieces = await Array.fromAsync(store.getMany([ids]))
    expect(pieces.flatMap(({ blocks }) => blocks.map(({ id }) => id))).toEqual(ids)
    expect(pieces.map(({ blocks }) => blocks.length)).toEqual([8, 8, 4])
    expect(Math.max(...blobs.asked)).toBe(8)
  })
})
