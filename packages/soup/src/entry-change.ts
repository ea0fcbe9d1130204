import type { Bytes, ContentId } from '@vault/core'
import { copyBytes, equalBytes } from '@vault/core'
import type { TypeContract } from './contract.ts'
import { checkNature } from './contract.ts'
import { countersFault } from './counters.ts'
import type { Entry } from './entry.ts'
import { decodeEntry, encodeEntry, versionId } from './entry.ts'
import { shown, soupError } from './soup-error.ts'

/** An entry in the form in which it is stored. */
export interface StoredEntry {
  readonly entry: Entry
  readonly bytes: Bytes
}

/** What becomes of one row of the entry table. A store does exactly this and decides nothing. */
export interface EntryTransition {
  readonly key: string
  /** The row that was there, `undefined`: none. */
  readonly before: StoredEntry | undefined
  /** The row that is there afterwards, `undefined`: none. */
  readonly after: StoredEntry | undefined
  /** The id under which `before.bytes` must be kept for good, `undefined` where they go. */
  readonly keep: ContentId | undefined
}

/**
 * What happens to an entry that is put (`after`) or removed (`after` is `undefined`); `undefined` where nothing changes.
 * Throws `SOUP_CONTRACT` where the type's contract forbids it. `before` are the stored bytes.
 *
 * Where history is kept, `previous` is filled in, and removing is a change like any other: what is left is a version
 * with `fields.removed: true`, so that the removal is proven by the root, travels, and the history stays in reach.
 */
export function changeEntry(
  key: string,
  before: Uint8Array | undefined,
  after: StoredEntry | undefined,
  contracts: (type: string) => TypeContract,
): EntryTransition | undefined {
  if (before === undefined) return after === undefined ? undefined : created(key, after, contracts(after.entry.type))
  if (after !== undefined && equalBytes(after.bytes, before)) return undefined
  const was: StoredEntry = { entry: decodeEntry(before), bytes: copyBytes(before) }
  const contract = contracts(was.entry.type)
  if (after !== undefined) {
    if (was.entry.type !== after.entry.type) {
      throw refused(key, `it is of type ${was.entry.type}, and a key's type never changes`)
    }
    checkNature(after.entry, contract)
  }
  if (contract.keepsHistory) return nextVersion(was, after?.entry ?? tombstone(was.entry))
  if (contract.rollback === 'none')
    throw refused(key, `what has the type ${contract.type} never changes once it is there`)
  if (contract.rollback === 'snapshot') {
    if (after === undefined) throw refused(key, 'it has counters, which are never removed')
    refuseFault(key, countersFault(was.entry, after.entry))
  }
  return { key, before: was, after, keep: undefined }
}

/** The entry as it is put: checked, encoded, and without the `previous` that only the soup fills in. */
export function storedEntry({ previous: _, ...entry }: Entry): StoredEntry {
  return { entry, bytes: encodeEntry(entry) }
}

/** Whether an entry only says that what was there has been removed; its history is still in reach. */
export function isTombstone(entry: Entry): boolean {
  return Object.hasOwn(entry.fields, 'removed') && entry.fields.removed === true
}

function nextVersion(was: StoredEntry, next: Entry): EntryTransition | undefined {
  const { previous: _, ...unlinked } = was.entry
  if (equalBytes(encodeEntry(unlinked), encodeEntry(next))) return undefined
  const keep = versionId(was.bytes)
  const entry = { ...next, previous: keep }
  return { key: was.entry.key, before: was, after: { entry, bytes: encodeEntry(entry) }, keep }
}

function tombstone({ key, type }: Entry): Entry {
  return { key, type, fields: { removed: true } }
}

function created(key: string, after: StoredEntry, contract: TypeContract): EntryTransition {
  checkNature(after.entry, contract)
  if (contract.rollback === 'snapshot') refuseFault(key, countersFault(undefined, after.entry))
  return { key, before: undefined, after, keep: undefined }
}

function refuseFault(key: string, fault: string | undefined): void {
  if (fault !== undefined) throw refused(key, fault)
}

function refused(key: string, why: string): Error {
  return soupError('SOUP_CONTRACT', `The entry ${shown(key)} may not change so: ${why}.`, { key })
}
