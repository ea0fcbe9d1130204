import type { AbortOptions, ContentId } from '@vault/core'
import { objectKey } from '@vault/core'
import type { Entry, VaultSoup } from '@vault/soup'
import { checkBatchRange, checkLimit, decodeEntry, entryKey } from '@vault/soup'
import { batchesAfter } from './batch-rows.ts'
import { commitChange, prepareBatch, prepareChange, receiveBatch, restoreRows } from './change.ts'
import { checkVault } from './check.ts'
import type { Connection } from './connection.ts'
import type { EntryRow } from './entry-rows.ts'
import { countByName, entriesInRange, entryByKey } from './entry-rows.ts'
import { changePages } from './feed-pages.ts'
import { heldAfter, isHeld } from './held-rows.ts'
import { inPages, inParts } from './in-parts.ts'
import { memberByKey, membersInRange } from './member-rows.ts'
import { queuedEvents, settleEvents } from './outbox.ts'
import type { Place } from './place.ts'
import { answer } from './query.ts'
import { rebuildVault } from './rebuild.ts'
import { damagedRow } from './sqlite-error.ts'
import type { TenureRow } from './tenure-row.ts'
import { absentTenure, readTenure } from './tenure-row.ts'
import { versionById } from './version-rows.ts'

/** The soup of one vault in the place. */
export function sqliteVaultSoup(place: Place, vault: ContentId, feedRetention: number): VaultSoup {
  /** Reads rows of the vault, of one moment together with its tenure. */
  const read = <T>(work: (db: Connection, number: number, at: TenureRow) => T, options?: AbortOptions): Promise<T> =>
    place.read((db) => {
      const at = readTenure(db, vault) ?? absentTenure(vault)
      return work(db, at.vault, at)
    }, options)

  return {
    tenure: (options) => read((_db, _number, { tenure }) => tenure, options),

    async entry(key, options) {
      const row = await read((db, number) => entryByKey(db, number, entryKey(key)), options)
      return row && decodeEntry(row.bytes)
    },

    async *history(key, options) {
      const row = await read((db, number) => entryByKey(db, number, entryKey(key)), options)
      let id = row && decodeEntry(row.bytes).previous
      while (id !== undefined) {
        const wanted: ContentId = id
        const version = await read((db, number) => versionById(db, number, wanted), options)
        if (version === undefined)
          throw damagedRow('versions', wanted, `${key} has it as an earlier version, and it is missing`)
        const entry: Entry = decodeEntry(version.bytes)
        yield entry
        id = entry.previous
      }
    },

    version: (id, options) => read((db, number) => versionById(db, number, id)?.bytes, options),

    query: (query, options) => answer(place, vault, query, options),

    count: (prefix, options) => read((db, number) => countByName(db, number, prefix), options),

    charged: (ids, options) => {
      const isCharged = (db: Connection, number: number, id: ContentId) =>
        memberByKey(db, number, objectKey(id))?.id === id
      return inParts(ids, (part) => read((db, number) => part.map((id) => isCharged(db, number, id)), options))
    },

    members: (wanted, options) =>
      inPages(wanted, (range) => read((db, number) => membersInRange(db, number, range), options)),

    membersByKey: (keys, options) =>
      inParts(keys, (part) => read((db, number) => part.flatMap((key) => memberByKey(db, number, key) ?? []), options)),

    async entriesAfter(wanted, options) {
      const rows = await inPages(wanted, (range) => read((db, number) => entriesInRange(db, number, range), options))
      return rows.map(keyedEntry)
    },

    async entriesByKey(keys, options) {
      const rows = await inParts(keys, (part) =>
        read((db, number) => part.flatMap((key) => entryByKey(db, number, key) ?? []), options),
      )
      return rows.map(keyedEntry)
    },

    changes: (after, options) => changePages(place, vault, after, options),

    feed: (options) => read((_db, _number, { oldest, tenure }) => ({ oldest, latest: tenure.sequence }), options),

    async held({ after, limit }, options) {
      checkLimit(limit)
      return read((db, number) => heldAfter(db, number, after, limit), options)
    },

    holds: (ids, options) =>
      inParts(ids, (part) => read((db, number) => part.map((id) => isHeld(db, number, id)), options)),

    view: (work, options) => place.view(vault, work, options),

    async commit(change, options) {
      options?.signal?.throwIfAborted()
      const prepared = prepareChange(change)
      return place.write((db) => commitChange(db, vault, change, prepared, feedRetention), options)
    },

    async receive(batch, options) {
      options?.signal?.throwIfAborted()
      const prepared = prepareBatch(batch)
      return place.write((db) => receiveBatch(db, vault, batch, prepared, feedRetention), options)
    },

    async batches(migration, range, options) {
      checkBatchRange(range)
      return read((db, number) => batchesAfter(db, number, migration, range), options)
    },

    async restore(request, options) {
      checkLimit(request.limit)
      return place.write((db) => restoreRows(db, vault, request, feedRetention), options)
    },

    async queued({ limit }, options) {
      checkLimit(limit)
      return read((db, _number, at) => queuedEvents(db, at, limit), options)
    },

    settled: (before, options) =>
      place.write((db) => settleEvents(db, readTenure(db, vault) ?? absentTenure(vault), before), {
        ...options,
        durable: false,
      }),

    check: (options) => checkVault(place, vault, options),

    rebuild: (options) => place.write((db) => rebuildVault(db, vault), options),
  }
}

function keyedEntry({ key, bytes }: EntryRow): { key: EntryRow['key']; bytes: EntryRow['bytes'] } {
  return { key, bytes }
}
