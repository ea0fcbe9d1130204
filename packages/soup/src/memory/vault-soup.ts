import type { ContentId } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { Entry } from '../entry.ts'
import { decodeEntry } from '../entry.ts'
import type { KeyedEntry, KeyedMember, VaultSoup } from '../soup.ts'
import { shown, soupError } from '../soup-error.ts'
import { answer } from './answer.ts'
import { auditState, rebuildState } from './audit-state.ts'
import { commitChange, condemnSegments, receiveBatch } from './change-state.ts'
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

    async *check(options) {
      options?.signal?.throwIfAborted()
      yield* auditState(current())
    },

    async rebuild(options) {
      options?.signal?.throwIfAborted()
      rebuildState(current())
    },

    async condemn(segments, options) {
      options?.signal?.throwIfAborted()
      condemnSegments(current(), segments)
    },

    async absolve(segments, options) {
      options?.signal?.throwIfAborted()
      const { condemned } = current()
      for (const segment of segments) condemned.delete(segment)
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
