/**
 * A service that had its notes in a table of its own before it heard of vaults, and moves them, proved, to another database.
 *   node service.ts FOLDER
 * Killed at any moment it is simply started again: what arrived before is not sent twice.
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Blobs, createBlobCas, writeBlocks } from '@vault/cas'
import { type Authorize, contentId, copyBytes, idBytes, idFromBytes, utf8, VaultError } from '@vault/core'
import { planMigration, runMigration, soupStoreSource, soupStoreTarget } from '@vault/migration'
import { openSqliteSoupStore } from '@vault/store-sqlite'

/** Our own store. It knows of keys and bytes; that bytes are what their key says is checked around it, with every read. */
function table(path: string): Blobs {
  const db = new DatabaseSync(path)
  db.exec('CREATE TABLE IF NOT EXISTS note (key BLOB PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID')
  const [one, put] = [db.prepare('SELECT text FROM note WHERE key = ?'), db.prepare('REPLACE INTO note VALUES (?, ?)')]
  const page = db.prepare('SELECT key FROM note WHERE key > ? ORDER BY key LIMIT ?')
  const read: Blobs['read'] = async (ids) =>
    ids.map((id) => one.get(idBytes(id))).map((row) => row && copyBytes(row.text as Uint8Array))
  return {
    read,
    has: async (ids) => (await read(ids)).map((text) => text !== undefined),
    async write(notes) {
      // One transaction for each batch, because each costs a flush. It may be acknowledged when COMMIT returns.
      db.exec('BEGIN IMMEDIATE')
      for (const { id, bytes } of notes) put.run(idBytes(id), bytes)
      db.exec('COMMIT')
    },
    list: async ({ after, limit }) =>
      page.all(after ? idBytes(after) : new Uint8Array(), limit).map(({ key }) => idFromBytes(key as Uint8Array)),
  }
}

/** Our own rule of who may do what: asked before the first byte, and again with every batch. */
const authorize: Authorize = async ({ action, object }) => {
  if (object === vault && ['migrate', 'write'].includes(action)) return { action, object, proven: false }
  throw new VaultError({ code: 'NOTES_FORBIDDEN', message: `The service may not ${action} ${object}.` })
}
const say = (event: string, more: object) => console.log(JSON.stringify({ event, ...more }))

const [folder = '.'] = process.argv.slice(2)
const vault = contentId(utf8('the notes of this service'))
const objects = createBlobCas(table(join(folder, 'notes.sqlite')))
await using here = await openSqliteSoupStore({ path: join(folder, 'here.soup'), mode: 'create' })
await using there = await openSqliteSoupStore({ path: join(folder, 'there.soup'), mode: 'create' })

// The soup says what belongs to the vault; what is in the table besides does not move.
const notes = Array.from({ length: 8_000 }, (_, i) => utf8(`Note ${i}.`))
const soup = here.soup(vault)
const standing = await here.tenures.read(vault)
if (standing.state === 'none') await here.tenures.transition(vault, standing, { state: 'active', epoch: 0 })
if ((await soup.view(async ({ counts }) => counts.objects)) < notes.length) {
  const blocks = notes.map((bytes) => ({ id: contentId(bytes), bytes, size: bytes.length, links: [] }))
  for await (const { blocks: add } of writeBlocks(objects, blocks)) await soup.commit({ epoch: 0, objects: { add } })
}

const moved = createBlobCas(table(join(folder, 'moved.sqlite')))
const source = soupStoreSource({ vault, label: 'here', objects, store: here })
const target = soupStoreTarget({ label: 'there', objects: moved, store: there })
const parts = { source, target, authorize }
for await (const event of runMigration(await planMigration(parts), parts)) {
  if (event.type === 'batch') say('arrived', event.progress.objects)
  if (event.type !== 'summary') continue
  const {
    sent,
    statement,
    tenure,
    verification: { ok, checked },
  } = event.summary
  say('moved', { sent: sent.objects, verified: checked.objects, ok, is: tenure.state, roots: statement.roots })
}
