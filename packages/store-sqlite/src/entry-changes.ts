import type { Bytes } from '@vault/core'
import { compareBytes, equalBytes } from '@vault/core'
import type { EntryTransition } from '@vault/soup'
import { entryKey } from '@vault/soup'
import type { Connection } from './connection.ts'
import type { EntryRow } from './entry-rows.ts'
import { deleteEntry, entryByKey, entryRow, insertEntry, updateEntry, valueByKey } from './entry-rows.ts'
import type { ItemPacker } from './feed-items.ts'
import { TouchedRows } from './touched.ts'
import type { NewVersion } from './version-rows.ts'
import { insertVersion } from './version-rows.ts'

/** What a change does to the entries, inside a transaction. */
export class EntryChanges {
  readonly #db: Connection
  readonly #vault: number
  readonly #sequence: number
  readonly #touched = new TouchedRows<string, Pick<EntryRow, 'key' | 'name'>>()
  #difference = 0

  constructor(db: Connection, vault: number, sequence: number) {
    this.#db = db
    this.#vault = vault
    this.#sequence = sequence
  }

  /** How many more entries there are than before. */
  get difference(): number {
    return this.#difference
  }

  /** The stored bytes of an entry. */
  stored(name: string): Bytes | undefined {
    return entryByKey(this.#db, this.#vault, entryKey(name))?.bytes
  }

  /** Does what was planned from {@link stored}. */
  apply(transitions: readonly EntryTransition[]): void {
    const rows: EntryRow[] = []
    for (const { key, before, after, keep } of transitions) {
      if (before !== undefined && keep !== undefined) this.keep([{ bytes: before.bytes, object: before.entry.object }])
      if (after === undefined) this.remove([key])
      else rows.push(entryRow(after.entry, after.bytes))
    }
    this.put(rows)
  }

  /** Puts exactly these rows, whatever was there, in the order of their keys. Equal ones are no change. */
  put(rows: readonly EntryRow[]): void {
    for (const row of rows.toSorted((a, b) => compareBytes(a.key, b.key))) {
      const existed = !insertEntry(this.#db, this.#vault, row, this.#sequence)
      if (existed) {
        const before = valueByKey(this.#db, this.#vault, row.key)
        if (before !== undefined && equalBytes(before, row.value)) continue
        updateEntry(this.#db, this.#vault, row, this.#sequence)
      } else this.#difference++
      this.#touched.wrote(row.name, { key: row.key, name: row.name }, existed)
    }
  }

  remove(names: readonly string[]): void {
    for (const name of names) {
      const key = entryKey(name)
      if (!deleteEntry(this.#db, this.#vault, key)) continue
      this.#touched.removed(name, { key, name })
      this.#difference--
    }
  }

  keep(versions: readonly NewVersion[]): void {
    for (const version of versions) insertVersion(this.#db, this.#vault, version)
  }

  pack(items: ItemPacker): void {
    for (const { key, name } of this.#touched.present()) items.entry('entry-put', key, name)
    for (const { key, name } of this.#touched.gone()) items.entry('entry-removed', key, name)
  }
}
