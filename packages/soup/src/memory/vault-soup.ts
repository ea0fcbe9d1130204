import type { ContentId } from '@vault/core'
import { compareIds, copyBytes } from '@vault/core'
import type { Entry } from '../entry.ts'
import { decodeEntry } from '../entry.ts'
import { checkBatchRange } from '../intake.ts'
import { checkLimit } from '../limit.ts'
import { checkSettled } from '../outbox.ts'
import type { KeyedEntry, KeyedMember } from '../soup.ts'
import { shown, soupError } from '../soup-error.ts'
import type { VaultSoup } from '../soup-store.ts'
import { answer } from './answer.ts'
import { auditState, rebuildState } from './audit-state.ts'
import { commitChange, receiveBatch, restoreRows } from './change-state.ts'
import { keyTable } from './key-table.ts'
import type { EntryRow, MemberRow, VaultState } from './vault-state.ts'

/** The soup of one vault; `current` gives its state as it is when a function is called, an empty one where it is not here. */
export function memoryVaultSoup(current: () => VaultState): VaultSoup {
  return {
    async tenure(options) {
      options?.signal?.throwIfAborted()
      return { ...current().tenure }
    },

    async entry(key, options) {
      options?.signal?.throwIfAborted()
      const row = current().entries.get(key)
      return row === undefined ? undefined : decodeEntry(row.bytes)
    },

    async *history(key, options) {
      options?.signal?.throwIfAborted()
      const { entries, versions } = current()
      const row = entries.get(key)
      let id = row === undefined ? undefined : decodeEntry(row.bytes).previous
      while (id !== undefined) {
        options?.signal?.throwIfAborted()
        const version: Entry = versionOf(versions, id, key)
        yield version
        id = version.previous
      }
    },

    async version(id, options) {
      options?.signal?.throwIfAborted()
      const version = current().versions.get(id)
      return version === undefined ? undefined : copyBytes(version.bytes)
    },

    query: (query, options) => answer(() => current().entries.values(), query, options),

    async count(prefix, options) {
      options?.signal?.throwIfAborted()
      let count = 0
      for (const name of current().entries.keys()) if (name.startsWith(prefix)) count++
      return count
    },

    async charged(ids, options) {
      options?.signal?.throwIfAborted()
      const { members } = current()
      return ids.map((id) => members.has(id))
    },

    async members({ after, limit }, options) {
      options?.signal?.throwIfAborted()
      return current().sortedMembers.range('', after, limit).map(keyedMember)
    },

    async membersByKey(keys, options) {
      options?.signal?.throwIfAborted()
      const { sortedMembers } = current()
      return keys.flatMap((key) => sortedMembers.find(key) ?? []).map(keyedMember)
    },

    async entriesAfter({ after, limit }, options) {
      options?.signal?.throwIfAborted()
      return current().sortedEntries.range('', after, limit).map(keyedEntry)
    },

    async entriesByKey(keys, options) {
      options?.signal?.throwIfAborted()
      const { sortedEntries } = current()
      return keys.flatMap((key) => sortedEntries.find(key) ?? []).map(keyedEntry)
    },

    async *changes(after, options) {
      options?.signal?.throwIfAborted()
      const { feed } = current()
      const until = feed.range.latest
      feed.requireReach(after)
      for (let cursor = after; cursor < until; ) {
        options?.signal?.throwIfAborted()
        const page = feed.page(cursor)
        cursor = page.at(-1)?.sequence ?? until
        yield page
      }
    },

    async feed(options) {
      options?.signal?.throwIfAborted()
      return current().feed.range
    },

    async held({ after, limit }, options) {
      options?.signal?.throwIfAborted()
      checkLimit(limit)
      const blocks = Array.from(current().held, ([id, size]) => ({ id, size }))
      return blocks
        .filter(({ id }) => after === undefined || compareIds(id, after) > 0)
        .sort((a, b) => compareIds(a.id, b.id))
        .slice(0, limit)
    },

    async holds(ids, options) {
      options?.signal?.throwIfAborted()
      const { held } = current()
      return ids.map((id) => held.has(id))
    },

    async queued({ limit }, options) {
      options?.signal?.throwIfAborted()
      checkLimit(limit)
      const { outbox, tenure } = current()
      const from = tenure.events - outbox.length
      return outbox.slice(0, limit).map((event, i) => ({ index: from + i, bytes: copyBytes(event) }))
    },

    async settled(before, options) {
      options?.signal?.throwIfAborted()
      const state = current()
      const { events } = state.tenure
      checkSettled(before, events)
      const waiting = Math.min(events - before, state.outbox.length)
      state.outbox = state.outbox.slice(state.outbox.length - waiting)
    },

    async view(read, options) {
      options?.signal?.throwIfAborted()
      const state = current()
      const { sequence } = state.tenure
      const latest = () => state.tenure.sequence
      return await read({
        sequence,
        counts: state.counts,
        objects: keyTable({ rows: state.sortedMembers, values: false, kept: state.keptObjects, sequence, latest }),
        entries: keyTable({ rows: state.sortedEntries, values: true, kept: state.keptEntries, sequence, latest }),
      })
    },

    async commit(change, options) {
      options?.signal?.throwIfAborted()
      return commitChange(current(), change)
    },

    async receive(batch, options) {
      options?.signal?.throwIfAborted()
      return receiveBatch(current(), batch)
    },

    async batches(migration, range, options) {
      options?.signal?.throwIfAborted()
      checkBatchRange(range)
      const { batches, batchesOf } = current()
      if (batchesOf !== migration) return []
      const { after, limit } = range
      return batches
        .slice(after, after + limit)
        .map((record, i) => ({ batch: after + i + 1, record: copyBytes(record) }))
    },

    async restore(request, options) {
      options?.signal?.throwIfAborted()
      return restoreRows(current(), request)
    },

    async *check(options) {
      options?.signal?.throwIfAborted()
      yield* auditState(current())
    },

    async rebuild(options) {
      options?.signal?.throwIfAborted()
      rebuildState(current())
    },
  }
}

function versionOf(versions: VaultState['versions'], id: ContentId, key: string): Entry {
  const version = versions.get(id)
  if (version !== undefined) return decodeEntry(version.bytes)
  throw soupError('SOUP_CORRUPT', `The version ${id} of the entry ${shown(key)} is missing; receive it again.`, {
    table: 'versions',
    key: id,
  })
}

function keyedMember({ id, size, links, key }: MemberRow): KeyedMember {
  return { id, size, links: [...links], key: copyBytes(key) }
}

function keyedEntry({ key, bytes }: EntryRow): KeyedEntry {
  return { key: copyBytes(key), bytes: copyBytes(bytes) }
}
