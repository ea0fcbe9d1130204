import type { Bytes } from '@vault/core'
import { compareBytes, equalBytes } from '@vault/core'
import type { EntryTransition } from '@vault/soup'
import { entryKey } from '@vault/soup'
import type { Connection } from './connection.ts'
import type { Displacement } from './displaced-rows.ts'
import type { EntryRow } from './entry-rows.ts'
import { deleteEntry, entryByKey, entryRow, insertEntry, updateEntry, valueByKey } from './entry-rows.ts'
import type { ItemPacker } from './feed-items.ts'
import { TouchedRows } from './touched.ts'
import type { NewVersion } from './version-rows.ts'
import { deleteVersion, insertVersion } from './version-rows.ts'

/** What a change does to the entries, inside a transaction. */
export class EntryChanges {
  readonly #db: Connection
  readonly #vault: number
  readonly #sequence: number
  readonly #touched = new TouchedRows<string, Pick<EntryRow, 'key' | 'name'>>()
  readonly #displaced: Displacement | undefined
  #difference = 0

  /** `displaced`: remembers rows as they were. */
  constructor(db: Connection, vault: number, sequence: number, displaced?: Displacement) {
    this.#db = db
    this.#vault = vault
    this.#sequence = sequence
    this.#displaced = displaced
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
        this.#displaced?.entry(row.key, this.stored(row.name))
        updateEntry(this.#db, this.#vault, row, this.#sequence)
      } else {
        this.#displaced?.entry(row.key, undefined)
        this.#difference++
      }
      this.#touched.wrote(row.name, { key: row.key, name: row.name }, existed)
    }
  }

  remove(names: readonly string[]): void {
    for (const name of names) {
      const key = entryKey(name)
      const before = this.#displaced && this.stored(name)
      if (before !== undefined) this.#displaced?.entry(key, before)
      if (!deleteEntry(this.#db, this.#vault, key)) continue
      this.#touched.removed(name, { key, name })
      this.#difference--
    }
  }

  keep(versions: readonly NewVersion[]): void {
    for (const version of versions) {
      const id = insertVersion(this.#db, this.#vault, version)
      if (id !== undefined) this.#displaced?.version(id)
    }
  }

  /** Puts back what was under a key. */
  restore(key: Uint8Array, was: EntryRow | undefined): void {
    const present = entryByKey(this.#db, this.#vault, key)
    if (was !== undefined) this.put([was])
    else if (present !== undefined) this.remove([present.name])
  }

  /** Takes a version away that was not there before. */
  restoreVersion(id: Uint8Array): void {
    deleteVersion(this.#db, this.#vault, id)
  }

  pack(items: ItemPacker): void {
    for (const { key, name } of this.#touched.present()) items.entry('entry-put', key, name)
    for (const { key, name } of this.#touched.gone()) items.entry('entry-removed', key, name)
  }
}
