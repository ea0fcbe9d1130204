import { DatabaseSync } from 'node:sqlite'
import type { Bytes } from '@vault/core'

/** Something to be sorted: `at` is where it stands, and no two stand at the same. */
export interface Sortable {
  readonly at: Uint8Array
  readonly bytes: Uint8Array
}

/** Sorts what does not fit into memory, in a temporary database of its own that is gone when it is closed. */
export class Sorter implements Disposable {
  readonly #db = new DatabaseSync('')
  readonly #order: 'ASC' | 'DESC'
  readonly #limit: number
  #count = 0

  /** Only the first `limit` items are kept. */
  constructor({ descending, limit }: { readonly descending: boolean; readonly limit: number }) {
    this.#order = descending ? 'DESC' : 'ASC'
    this.#limit = limit
    this.#db.exec(`
      PRAGMA journal_mode = OFF;
      CREATE TABLE items (at BLOB PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID, STRICT`)
  }

  add(items: readonly Sortable[]): void {
    const insert = this.#db.prepare('INSERT INTO items (at, bytes) VALUES (?, ?) ON CONFLICT DO NOTHING')
    this.#db.exec('BEGIN')
    for (const { at, bytes } of items) this.#count += Number(insert.run(at, bytes).changes)
    this.#db.exec('COMMIT')
    if (this.#count > 2 * this.#limit) this.#cut()
  }

  /** The items in order, in pages. */
  *pages(size: number): Generator<readonly Bytes[]> {
    const select = (condition: string) =>
      this.#db.prepare(`SELECT at, bytes FROM items ${condition} ORDER BY at ${this.#order} LIMIT ?`)
    const next = select(`WHERE at ${this.#order === 'ASC' ? '>' : '<'} ?`)
    let left = this.#limit
    for (let rows = select('').all(Math.min(size, left)); rows.length > 0; ) {
      yield rows.map(({ bytes }) => bytes as Bytes)
      left -= rows.length
      rows = next.all(rows.at(-1)?.at as Bytes, Math.min(size, left))
    }
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  /** Drops what is beyond the limit. */
  #cut(): void {
    const beyond = `SELECT at FROM items ORDER BY at ${this.#order} LIMIT -1 OFFSET ?`
    this.#db.prepare(`DELETE FROM items WHERE at IN (${beyond})`).run(this.#limit)
    this.#count = this.#limit
  }
}
