import type { Bytes, ContentId, Finding } from '@vault/core'
import { equalBytes, idBytes, isVaultError, objectKey, toHex } from '@vault/core'
import type { Entry } from '@vault/soup'
import { decodeEntry } from '@vault/soup'
import { decodeBatch } from './batch-rows.ts'
import { decodeAsOf, decodeBranch } from './branch-rows.ts'
import { decodeCondemned } from './condemned.ts'
import type { Connection } from './connection.ts'
import { decodeDisplaced } from './displaced-rows.ts'
import { decodeEntryRow } from './entry-rows.ts'
import { decodeEvidence } from './evidence.ts'
import { readFeedRow } from './feed.ts'
import { feedItem } from './feed-items.ts'
import { decodeHeld } from './held-rows.ts'
import { decodeKeyEvent } from './key-events.ts'
import { decodeMember } from './member-rows.ts'
import { decodeQueued } from './outbox.ts'
import { decodeRecord } from './records.ts'
import type { Row } from './row.ts'
import { damagedRow } from './sqlite-error.ts'
import type { TenureRow } from './tenure-row.ts'
import { decodeVersion } from './version-rows.ts'

/** How the rows of one table are checked. A damaged row is thrown as `SOUP_CORRUPT`, what does not fit is returned. */
export interface TableAudit {
  readonly name: string
  /** Its rows belong to the place, not to a vault. */
  readonly ofPlace?: boolean
  check(row: Row): Iterable<Finding>
}

/** Checks rows of one vault, one by one, and counts them for what can only be said in the end. */
export class RowAudit {
  readonly tables: readonly TableAudit[]
  readonly #db: Connection
  readonly #at: TenureRow
  readonly #counted = { objects: 0, bytes: 0, entries: 0, links: 0, linked: 0, queued: 0, batches: 0, displaced: 0 }
  /** The latest change of the feed that was checked, and the items up to it. */
  #fed: { readonly sequence: number; readonly total: number } | undefined

  constructor(db: Connection, at: TenureRow) {
    this.#db = db
    this.#at = at
    this.tables = [
      { name: 'members', check: (row) => this.#member(row) },
      { name: 'linked', check: () => this.#link() },
      { name: 'entries', check: (row) => this.#entry(row) },
      { name: 'versions', check: (row) => this.#version(row) },
      { name: 'feed', check: (row) => this.#change(row) },
      { name: 'key_events', check: (row) => sound(decodeKeyEvent(row)) },
      { name: 'trees', check: (row) => sound(decodeAsOf(row)) },
      { name: 'branches', check: (row) => sound(decodeBranch(row)) },
      { name: 'condemned', ofPlace: true, check: (row) => sound(decodeCondemned(row)) },
      { name: 'evidence', check: (row) => sound(decodeEvidence(row)) },
      { name: 'held', check: (row) => sound(decodeHeld(row)) },
      { name: 'outbox', check: (row) => this.#queued(row) },
      { name: 'batches', check: (row) => this.#batch(row) },
      { name: 'displaced', check: (row) => this.#displaced(row) },
      { name: 'records', ofPlace: true, check: (row) => sound(decodeRecord(row)) },
    ]
  }

  /** What the whole comes to against what is written down. */
  *totals(): Generator<Finding> {
    const { objects, bytes, entries, links, linked, queued, displaced } = this.#counted
    const { counts, tenure, fed, settled } = this.#at
    const compare = (what: string, found: number, expected: number): Finding[] =>
      found === expected ? [] : [finding('SOUP_CORRUPT', `There are ${found} ${what}, not ${expected}.`, what)]
    yield* compare('objects', objects, counts.objects)
    yield* compare('bytes of objects', bytes, counts.bytes)
    yield* compare('entries', entries, counts.entries)
    yield* compare('rows of table linked', linked, links)
    yield* compare('audit events that wait', queued, tenure.events - settled)
    yield* compare('displaced rows', displaced, this.#at.displaced)
    if (this.#fed !== undefined || this.#at.oldest < tenure.sequence) {
      yield* compare('changes up to the latest of the feed', this.#fed?.sequence ?? 0, tenure.sequence)
      yield* compare('items of the feed', this.#fed?.total ?? 0, fed)
    }
  }

  *#member(row: Row): Generator<Finding> {
    this.#counted.objects++
    const member = decodeMember(row)
    this.#counted.bytes += member.size
    if (!equalBytes(objectKey(member.id), member.key))
      throw damagedRow('members', member.id, 'its key is not that of its id')
    for (const child of new Set(member.links)) {
      this.#counted.links++
      const key = objectKey(child)
      const there = this.#db.get(
        'SELECT 1 FROM linked WHERE vault = ? AND child = ? AND parent = ?',
        this.#at.vault,
        key,
        member.key,
      )
      if (there === undefined)
        yield finding('SOUP_CORRUPT', `The link from ${member.id} to ${child} is not in table linked.`, member.id)
      yield* this.#named(child, key, member.id)
    }
  }

  #link(): readonly Finding[] {
    this.#counted.linked++
    return []
  }

  *#entry(row: Row): Generator<Finding> {
    this.#counted.entries++
    const { name, bytes, object } = decodeEntryRow(row)
    const entry = decoded(bytes, 'entries', name)
    if (entry.key !== name) throw damagedRow('entries', name, `its bytes are those of ${entry.key}`)
    yield* this.#references(entry, object, 'entries')
  }

  *#version(row: Row): Generator<Finding> {
    const { bytes, object } = decodeVersion(row)
    yield* this.#references(decoded(bytes, 'versions', ''), object, 'versions')
  }

  *#references(entry: Entry, object: Bytes | null, table: string): Generator<Finding> {
    const key = entry.object === undefined ? null : objectKey(entry.object)
    const same = key === null || object === null ? key === object : equalBytes(key, object)
    if (!same) throw damagedRow(table, entry.key, 'it stands under another object than it names')
    if (entry.object !== undefined && key !== null) yield* this.#named(entry.object, key, entry.key)
    if (entry.previous === undefined) return
    const { vault } = this.#at
    if (this.#db.get('SELECT 1 FROM versions WHERE vault = ? AND id = ?', vault, idBytes(entry.previous)) !== undefined)
      return
    yield finding(
      'SOUP_CORRUPT',
      `The version ${entry.previous} of ${JSON.stringify(entry.key)} is missing.`,
      entry.key,
    )
  }

  *#named(id: ContentId, key: Uint8Array, by: string): Generator<Finding> {
    const row = this.#db.get('SELECT id FROM members WHERE vault = ? AND key = ?', this.#at.vault, key)
    if (row !== undefined) return
    yield finding('SOUP_NOT_PRESENT', `${by} refers to ${id}, which is not under charge.`, id)
  }

  #queued(row: Row): readonly Finding[] {
    const expected = this.#at.settled + this.#counted.queued++
    const { index } = decodeQueued(row)
    return outOfOrder('outbox', index, expected)
  }

  #batch(row: Row): readonly Finding[] {
    const expected = ++this.#counted.batches
    const { batch } = decodeBatch(row)
    return outOfOrder('batches', batch, expected)
  }

  #displaced(row: Row): readonly Finding[] {
    this.#counted.displaced++
    const { kind, key, was } = decodeDisplaced(row)
    const own = kind === 'members' ? was && objectKey(was.id) : was?.key
    if (own !== undefined && !equalBytes(own, key))
      throw damagedRow('displaced', toHex(key), 'its key is that of another row')
    return []
  }

  *#change(row: Row): Generator<Finding> {
    const { sequence, total, items } = readFeedRow(row)
    const before = this.#fed
    this.#fed = { sequence, total }
    const expected = (before?.sequence ?? this.#at.oldest) + 1
    if (sequence !== expected)
      yield finding('SOUP_CORRUPT', `The feed goes on with ${sequence}, not with ${expected}.`, `feed/${sequence}`)
    let count = 0
    for (const item of items()) {
      feedItem(item, sequence)
      count++
    }
    if (before !== undefined && before.total + count !== total) {
      yield finding('SOUP_CORRUPT', `The total of the change ${sequence} is not that of its items.`, `feed/${sequence}`)
    }
  }
}

function outOfOrder(table: string, found: number, expected: number): readonly Finding[] {
  if (found === expected) return []
  return [finding('SOUP_CORRUPT', `Table ${table} goes on with ${found}, not with ${expected}.`, `${table}/${found}`)]
}

/** For rows of which there is no more to say than that they could be read. */
function sound(_decoded: unknown): readonly Finding[] {
  return []
}

function decoded(bytes: Uint8Array, table: string, key: string): Entry {
  try {
    return decodeEntry(bytes)
  } catch (error) {
    if (!isVaultError(error)) throw error
    throw damagedRow(table, key, 'its bytes are no entry', error)
  }
}

function finding(code: string, message: string, subject: string): Finding {
  return { code, message, subject }
}
