import type { Bytes, ContentId } from '@vault/core'
import type { Brought, Change, Committed, IntakeBatch, Received, RestoreRequest } from '@vault/soup'
import { admitBatch, admitChange, checkBatch, checkChange, checkExpected, decodeEntry, planEntries } from '@vault/soup'
import { appendBatch } from './batch-rows.ts'
import { condemnedAmong } from './condemned.ts'
import type { Connection } from './connection.ts'
import { Displacement, firstDisplaced, forgetDisplaced } from './displaced-rows.ts'
import { EntryChanges } from './entry-changes.ts'
import type { EntryRow } from './entry-rows.ts'
import { entryRow } from './entry-rows.ts'
import { appendFeed, pruneFeed } from './feed.ts'
import { ItemPacker } from './feed-items.ts'
import { holdBlocks } from './held-rows.ts'
import { MemberChanges } from './member-changes.ts'
import type { MemberRow } from './member-rows.ts'
import { memberRow } from './member-rows.ts'
import { queueEvents } from './outbox.ts'
import { storeError } from './sqlite-error.ts'
import type { TenureRow } from './tenure-row.ts'
import { absentTenure, readTenure, writeTenure } from './tenure-row.ts'
import type { NewVersion } from './version-rows.ts'

/** What is checked, hashed and copied before a transaction, so that other writers wait for as little as can be. */
export interface Prepared extends Brought {
  readonly members: readonly MemberRow[]
  readonly entries: readonly EntryRow[]
  readonly versions: readonly NewVersion[]
}

/** Throws `SOUP_INVALID`. The entries of a change depend on what is stored, so they are planned inside. */
export function prepareChange(change: Change): Prepared {
  const members = (change.objects?.add ?? []).map(memberRow)
  return { ...checkChange(change), members, entries: [], versions: [] }
}

/** Throws `SOUP_INVALID`. */
export function prepareBatch(batch: IntakeBatch): Prepared {
  const { objects, entries, versions } = batch
  return {
    ...checkBatch(batch),
    members: (objects?.add ?? []).map(memberRow),
    entries: (entries?.put ?? []).map((bytes) => entryRow(decodeEntry(bytes), new Uint8Array(bytes))),
    versions: (versions ?? []).map((bytes) => ({ bytes, object: decodeEntry(bytes).object })),
  }
}

/** An ordinary change, inside a transaction: tenure, epoch, expectations, contracts, objects, entries, feed, in this order. */
export function commitChange(
  db: Connection,
  vault: ContentId,
  change: Change,
  { members, events, hold }: Prepared,
  retention: number,
): Committed {
  const before = readTenure(db, vault) ?? absentTenure(vault)
  admitChange(before.tenure, change)
  const draft = new Draft(db, before)
  const stored = (name: string) => draft.entries.stored(name)
  checkExpected(change.expect ?? {}, stored)
  requirePresent(draft.members.missing(change.expect?.present ?? []))
  requireSound(db, change.expect?.segments)
  const transitions = planEntries(change, stored)
  draft.members.add(members)
  draft.entries.apply(transitions)
  draft.members.release(
    change.objects?.release ?? [],
    new Set([...members.map(({ id }) => id), ...(change.expect?.present ?? [])]),
  )
  const named = transitions.flatMap(({ after }) => after?.entry.object ?? [])
  requirePresent(draft.members.missing([...named, ...draft.members.newLinks()]))
  holdBlocks(db, before.vault, hold)
  return draft.finish(retention, { events })
}

/** A migration's change, inside a transaction: exact, without contracts and without asking what refers to what. Removals come first. */
export function receiveBatch(
  db: Connection,
  vault: ContentId,
  batch: IntakeBatch,
  { members, entries, versions, hold, record }: Prepared,
  retention: number,
): Received {
  const before = readTenure(db, vault) ?? absentTenure(vault)
  admitBatch(before.tenure, batch)
  requireSound(db, batch.segments)
  const displaced = before.tenure.before?.state === 'none' ? undefined : new Displacement(db, before.vault)
  const draft = new Draft(db, before, displaced)
  draft.entries.keep(versions)
  draft.entries.remove(batch.entries?.remove ?? [])
  draft.entries.put(entries)
  for (const id of batch.objects?.remove ?? []) draft.members.remove(id)
  draft.members.add(members)
  holdBlocks(db, before.vault, hold)
  const committed = draft.finish(retention, { displaced: displaced?.count ?? 0 })
  if (record === undefined) return committed
  return { ...committed, batch: appendBatch(db, before.vault, batch.migration, record) }
}

/** Puts rows back as they were before they were received over, at most so many, inside a transaction. */
export function restoreRows(
  db: Connection,
  vault: ContentId,
  request: RestoreRequest,
  retention: number,
): { readonly remaining: number } {
  const before = readTenure(db, vault) ?? absentTenure(vault)
  admitBatch(before.tenure, request)
  const rows = firstDisplaced(db, before.vault, request.limit)
  const draft = new Draft(db, before)
  for (const { kind, key, was } of rows) {
    if (kind === 'members') draft.members.restore(key, was)
    else if (kind === 'entries') draft.entries.restore(key, was)
    else draft.entries.restoreVersion(key)
  }
  forgetDisplaced(db, before.vault, rows)
  draft.finish(retention, { displaced: -rows.length })
  return { remaining: before.displaced - rows.length }
}

/** Both halves of a change and what they come to. */
class Draft {
  readonly members: MemberChanges
  readonly entries: EntryChanges
  readonly #db: Connection
  readonly #before: TenureRow

  constructor(db: Connection, before: TenureRow, displaced?: Displacement) {
    this.#db = db
    this.#before = before
    const sequence = before.tenure.sequence + 1
    this.members = new MemberChanges(db, before.vault, sequence, displaced)
    this.entries = new EntryChanges(db, before.vault, sequence, displaced)
  }

  /**
   * Gives the change its number and its place in the feed, queues its events, and counts the rows that are displaced by it.
   * A change of nothing takes no number.
   */
  finish(
    retention: number,
    { events = [], displaced = 0 }: { readonly events?: readonly Bytes[]; readonly displaced?: number },
  ): Committed {
    // Objects come before what may name them and go after it, so that a follower never has a name for nothing.
    const items = new ItemPacker()
    this.members.packAdded(items)
    const added = items.count
    this.entries.pack(items)
    const kept = items.count
    this.members.packRemoved(items)
    const released = items.count - kept
    const { vault, tenure, counts, fed, oldest } = this.#before
    const told = items.count > 0
    const sequence = told ? tenure.sequence + 1 : tenure.sequence
    const total = fed + items.count
    if (told) appendFeed(this.#db, vault, sequence, total, items.packed())
    queueEvents(this.#db, vault, tenure.events, events)
    const { objects, bytes } = this.members.difference
    if (told || events.length > 0 || displaced !== 0 || bytes !== 0) {
      writeTenure(this.#db, {
        ...this.#before,
        tenure: { ...tenure, sequence, events: tenure.events + events.length },
        counts: {
          objects: counts.objects + objects,
          bytes: counts.bytes + bytes,
          entries: counts.entries + this.entries.difference,
        },
        fed: total,
        oldest: (told ? pruneFeed(this.#db, vault, total - retention) : undefined) ?? oldest,
        displaced: this.#before.displaced + displaced,
      })
    }
    return { sequence, added, released }
  }
}

function requirePresent(missing: readonly ContentId[]): void {
  if (missing.length === 0) return
  const message = `${missing.length} objects that the change relies on are not under charge, the first is ${missing[0]}. Put their bytes and add them.`
  throw storeError('SOUP_NOT_PRESENT', message, { details: { ids: missing } })
}

function requireSound(db: Connection, named: readonly string[] = []): void {
  const segments = condemnedAmong(db, named)
  if (segments.length === 0) return
  const message = `The segments ${segments.join(', ')} are about to go. Put those bytes again and repeat.`
  throw storeError('SOUP_CONDEMNED', message, { details: { segments } })
}
