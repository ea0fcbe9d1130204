import type { Bytes, ContentId } from '@vault/core'
import type { MoveContent } from '../check-move.ts'
import type { HeldBlock } from '../held-block.ts'
import type { Counts, KeyedMember } from '../soup.ts'
import type { Stock } from '../tenure.ts'
import { noTenure } from '../tenure.ts'
import type { Tenure } from '../tenures.ts'
import type { Draft } from './draft.ts'
import { MemoryFeed } from './feed.ts'
import { KeptSubtrees } from './key-table.ts'
import type { Row } from './sorted-rows.ts'
import { SortedRows } from './sorted-rows.ts'

export type MemberRow = KeyedMember & Row

export interface EntryRow extends Row {
  readonly bytes: Bytes
  readonly value: Bytes
  readonly name: string
  readonly object: ContentId | undefined
}

export interface VersionRow {
  readonly bytes: Bytes
  readonly object: ContentId | undefined
}

/** Rows as they were before a migration changed them first; `undefined`: there was none. */
export interface Displaced {
  readonly members: Map<ContentId, MemberRow | undefined>
  readonly entries: Map<string, EntryRow | undefined>
  readonly versions: Map<ContentId, VersionRow | undefined>
}

/** Everything of one vault. Rows are unchanging, and sorted lists are made anew after a change, so a reader keeps what it took. */
export class VaultState {
  tenure: Tenure
  keyEvents: readonly Bytes[] = []
  readonly members: Map<ContentId, MemberRow> = new Map()
  readonly entries: Map<string, EntryRow> = new Map()
  readonly versions: Map<ContentId, VersionRow> = new Map()
  /** How many entries, earlier versions and links of members name an object, whether it is under charge or not. */
  readonly references: Map<ContentId, number> = new Map()
  /** Segments that are marked: those of the place, shared by its vaults. */
  readonly condemned: ReadonlySet<string>
  readonly held: Map<ContentId, number> = new Map()
  readonly displaced: Displaced = { members: new Map(), entries: new Map(), versions: new Map() }
  evidence: Bytes | undefined
  /** Audit events that wait, those with the highest indices that there are. */
  outbox: readonly Bytes[] = []
  batches: readonly Bytes[] = []
  /** The migration whose batches they are. */
  batchesOf: string | undefined
  readonly keptObjects: KeptSubtrees = new KeptSubtrees()
  readonly keptEntries: KeptSubtrees = new KeptSubtrees()
  readonly feed: MemoryFeed
  bytes = 0
  #sortedMembers: SortedRows<MemberRow> | undefined
  #sortedEntries: SortedRows<EntryRow> | undefined

  constructor(vault: ContentId, parts: { readonly retention: number; readonly condemned: ReadonlySet<string> }) {
    this.tenure = noTenure(vault)
    this.feed = new MemoryFeed(parts.retention)
    this.condemned = parts.condemned
  }

  get counts(): Counts {
    return { objects: this.members.size, bytes: this.bytes, entries: this.entries.size }
  }

  get stock(): Stock {
    const { members, entries, versions } = this.displaced
    return {
      objects: this.members.size,
      entries: this.entries.size,
      queued: this.outbox.length,
      displaced: members.size + entries.size + versions.size,
    }
  }

  /** Writes a move that was found to be one, with its content. */
  move(next: Tenure, { keyEvents, evidence, events, hold }: MoveContent): void {
    this.tenure = next
    this.keyEvents = keyEvents ?? this.keyEvents
    this.evidence = evidence ?? this.evidence
    this.outbox = [...this.outbox, ...events]
    this.hold(hold)
    if (next.before === undefined) for (const rows of Object.values(this.displaced)) rows.clear()
    if (next.state === 'receiving' && next.migration !== this.batchesOf) {
      this.batches = []
      this.batchesOf = next.migration
    }
  }

  /** Queues events, which have been checked. */
  queue(events: readonly Bytes[]): void {
    if (events.length === 0) return
    this.outbox = [...this.outbox, ...events]
    this.tenure = { ...this.tenure, events: this.tenure.events + events.length }
  }

  hold(blocks: readonly HeldBlock[]): void {
    for (const { id, size } of blocks) if (!this.held.has(id)) this.held.set(id, size)
  }

  get sortedMembers(): SortedRows<MemberRow> {
    this.#sortedMembers ??= new SortedRows(this.members.values())
    return this.#sortedMembers
  }

  get sortedEntries(): SortedRows<EntryRow> {
    this.#sortedEntries ??= new SortedRows(this.entries.values())
    return this.#sortedEntries
  }

  /** Takes back what was derived from the rows that these changes replace, and counts them. */
  account(members: Draft<ContentId, MemberRow>, entries: Draft<string, EntryRow>): void {
    for (const { before, after } of members.differences()) {
      this.bytes += (after?.size ?? 0) - (before?.size ?? 0)
      this.keptObjects.forget(((after ?? before) as MemberRow).hex)
      this.#sortedMembers = undefined
    }
    for (const { before, after } of entries.differences()) {
      this.keptEntries.forget(((after ?? before) as EntryRow).hex)
      this.#sortedEntries = undefined
    }
  }
}
