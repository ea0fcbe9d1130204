import type { ContentId } from '@vault/core'
import type { Change, Committed, IntakeBatch } from '@vault/soup'
import { checkExpected, decodeEntry, noTenure, planEntries } from '@vault/soup'
import { condemnedAmong } from './condemned.ts'
import type { Connection } from './connection.ts'
import { EntryChanges } from './entry-changes.ts'
import type { EntryRow } from './entry-rows.ts'
import { entryRow } from './entry-rows.ts'
import { appendFeed, pruneFeed } from './feed.ts'
import { ItemPacker } from './feed-items.ts'
import { MemberChanges } from './member-changes.ts'
import type { MemberRow } from './member-rows.ts'
import { memberRow } from './member-rows.ts'
import { storeError } from './sqlite-error.ts'
import type { TenureRow } from './tenure-row.ts'
import { readTenure, writeTenure } from './tenure-row.ts'
import type { NewVersion } from './version-rows.ts'

/** What is checked and hashed before a transaction, so that other writers wait for as little as can be. */
export interface Prepared {
  readonly members: readonly MemberRow[]
  readonly entries: readonly EntryRow[]
  readonly versions: readonly NewVersion[]
}

/** Throws `SOUP_INVALID`. The entries of a change depend on what is stored, so they are planned inside. */
export function prepareChange({ objects }: Change): Prepared {
  return { members: (objects?.add ?? []).map(memberRow), entries: [], versions: [] }
}

/** Throws `SOUP_INVALID`. */
export function prepareBatch({ objects, entries, versions }: IntakeBatch): Prepared {
  return {
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
  { members }: Prepared,
  retention: number,
): Committed {
  const before = requireActive(readTenure(db, vault), vault, change.epoch)
  const draft = new Draft(db, before)
  const stored = (name: string) => draft.entries.stored(name)
  checkExpected(change.expect ?? {}, stored)
  requirePresent(draft.members.missing(change.expect?.present ?? []))
  requireSound(db, before.vault, change.expect?.segments)
  const transitions = planEntries(change, stored)
  draft.members.add(members)
  draft.entries.apply(transitions)
  draft.members.release(
    change.objects?.release ?? [],
    new Set([...members.map(({ id }) => id), ...(change.expect?.present ?? [])]),
  )
  const named = transitions.flatMap(({ after }) => after?.entry.object ?? [])
  requirePresent(draft.members.missing([...named, ...draft.members.newLinks()]))
  return draft.finish(retention)
}

/** A migration's change, inside a transaction: exact, without contracts and without asking what refers to what. Removals come first. */
export function receiveBatch(
  db: Connection,
  vault: ContentId,
  batch: IntakeBatch,
  { members, entries, versions }: Prepared,
  retention: number,
): Committed {
  const before = requireReceiving(readTenure(db, vault), vault, batch.migration)
  requireSound(db, before.vault, batch.segments)
  const draft = new Draft(db, before)
  draft.entries.keep(versions)
  draft.entries.remove(batch.entries?.remove ?? [])
  draft.entries.put(entries)
  for (const id of batch.objects?.remove ?? []) draft.members.remove(id)
  draft.members.add(members)
  return draft.finish(retention)
}

/** Both halves of a change and what they come to. */
class Draft {
  readonly members: MemberChanges
  readonly entries: EntryChanges
  readonly #db: Connection
  readonly #before: TenureRow

  constructor(db: Connection, before: TenureRow) {
    this.#db = db
    this.#before = before
    const sequence = before.tenure.sequence + 1
    this.members = new MemberChanges(db, before.vault, sequence)
    this.entries = new EntryChanges(db, before.vault, sequence)
  }

  /** Gives the change its number and its place in the feed. A change of nothing takes none. */
  finish(retention: number): Committed {
    // Objects come before what may name them and go after it, so that a follower never has a name for nothing.
    const items = new ItemPacker()
    this.members.packAdded(items)
    const added = items.count
    this.entries.pack(items)
    const kept = items.count
    this.members.packRemoved(items)
    const released = items.count - kept
    const { vault, tenure, counts, fed } = this.#before
    if (items.count === 0) return { sequence: tenure.sequence, added, released }
    const sequence = tenure.sequence + 1
    const total = fed + items.count
    appendFeed(this.#db, vault, sequence, total, items.packed())
    const { objects, bytes } = this.members.difference
    writeTenure(this.#db, {
      ...this.#before,
      tenure: { ...tenure, sequence },
      counts: {
        objects: counts.objects + objects,
        bytes: counts.bytes + bytes,
        entries: counts.entries + this.entries.difference,
      },
      fed: total,
      oldest: pruneFeed(this.#db, vault, total - retention) ?? this.#before.oldest,
    })
    return { sequence, added, released }
  }
}

function requireActive(row: TenureRow | undefined, vault: ContentId, epoch: number): TenureRow {
  const { state, epoch: current } = row?.tenure ?? noTenure(vault)
  if (row === undefined || state !== 'active') {
    const message = `The vault ${vault} is ${state} here, so it does not change here.`
    throw storeError('SOUP_NOT_ACTIVE', message, { details: { vault, state } })
  }
  if (current !== epoch) {
    const message = `The vault ${vault} is in epoch ${current}, not ${epoch}: read its tenure again.`
    throw storeError('SOUP_EPOCH', message, { details: { vault, epoch: current, given: epoch } })
  }
  return row
}

function requireReceiving(row: TenureRow | undefined, vault: ContentId, migration: string): TenureRow {
  if (row?.tenure.state === 'receiving' && row.tenure.migration === migration) return row
  const { state, migration: current } = row?.tenure ?? noTenure(vault)
  const message = `The vault ${vault} is ${state} here and takes nothing from the migration ${migration}.`
  throw storeError('SOUP_TENURE', message, { details: { vault, state, migration: current } })
}

function requirePresent(missing: readonly ContentId[]): void {
  if (missing.length === 0) return
  const message = `${missing.length} objects that the change relies on are not under charge, the first is ${missing[0]}. Put their bytes and add them.`
  throw storeError('SOUP_NOT_PRESENT', message, { details: { ids: missing } })
}

function requireSound(db: Connection, vault: number, named: readonly string[] = []): void {
  const segments = condemnedAmong(db, vault, named)
  if (segments.length === 0) return
  const message = `The segments ${segments.join(', ')} are about to go. Put those bytes again and repeat.`
  throw storeError('SOUP_CONDEMNED', message, { details: { segments } })
}
