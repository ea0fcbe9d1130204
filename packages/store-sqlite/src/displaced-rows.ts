import type { Bytes, ContentId } from '@vault/core'
import { ID_LENGTH, idBytes, idFromBytes, KEY_LENGTH } from '@vault/core'
import type { KeyedMember, Member } from '@vault/soup'
import { decodeEntry } from '@vault/soup'
import { checksum } from './checksum.ts'
import type { Connection } from './connection.ts'
import type { EntryRow } from './entry-rows.ts'
import { entryRow } from './entry-rows.ts'
import type { KeyRange } from './key-range.ts'
import { packIds, unpackIds } from './pack-ids.ts'
import type { Row } from './row.ts'
import { RowReader } from './row.ts'

/** The tables whose rows are remembered. */
type Kind = 'members' | 'entries' | 'versions'

/** A row as it was before a migration changed it first; `was` is absent where there was none. */
export type DisplacedRow =
  | { readonly kind: 'members'; readonly key: Bytes; readonly was: Member | undefined }
  | { readonly kind: 'entries'; readonly key: Bytes; readonly was: EntryRow | undefined }
  /** A version never changes and is never removed: what was touched came. `key` is its id. */
  | { readonly kind: 'versions'; readonly key: Bytes; readonly was: undefined }

/** Remembers rows before a migration changes them, each once. */
export class Displacement {
  readonly #db: Connection
  readonly #vault: number
  #count = 0

  constructor(db: Connection, vault: number) {
    this.#db = db
    this.#vault = vault
  }

  /** How many more rows are remembered than before. */
  get count(): number {
    return this.#count
  }

  member(key: Bytes, was: KeyedMember | undefined): void {
    this.#remember('members', key, was === undefined ? null : packMember(was))
  }

  entry(key: Bytes, was: Bytes | undefined): void {
    this.#remember('entries', key, was ?? null)
  }

  version(id: Bytes): void {
    this.#remember('versions', id, null)
  }

  #remember(kind: Kind, key: Bytes, was: Uint8Array | null): void {
    const sql = 'INSERT INTO displaced (vault, kind, key, "check", was) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'
    this.#count += this.#db.run(sql, this.#vault, kind, key, checksum([this.#vault, kind, key, was]), was)
  }
}

/** The first rows that are remembered, in the order of their keys. */
export function firstDisplaced(db: Connection, vault: number, limit: number): readonly DisplacedRow[] {
  return db.all('SELECT * FROM displaced WHERE vault = ? ORDER BY kind, key LIMIT ?', vault, limit).map(decodeDisplaced)
}

/** The members that were there, with their keys, in the order of these. */
export function displacedMembersAfter(
  db: Connection,
  vault: number,
  { after, last, limit }: KeyRange,
): readonly { readonly key: Bytes; readonly id: ContentId }[] {
  const sql =
    "SELECT * FROM displaced WHERE vault = ? AND kind = 'members' AND key > ? AND key <= ? AND was IS NOT NULL ORDER BY key LIMIT ?"
  return db.all(sql, vault, after, last, limit).map((row) => {
    const { key, was } = decodeDisplaced(row) as Extract<DisplacedRow, { readonly kind: 'members' }>
    return { key, id: (was as Member).id }
  })
}

export function forgetDisplaced(db: Connection, vault: number, rows: readonly DisplacedRow[]): void {
  const sql = 'DELETE FROM displaced WHERE vault = ? AND kind = ? AND key = ?'
  for (const { kind, key } of rows) db.run(sql, vault, kind, key)
}

export function forgetAllDisplaced(db: Connection, vault: number): void {
  db.run('DELETE FROM displaced WHERE vault = ?', vault)
}

/** Checks and reads a row of the displaced ones. */
export function decodeDisplaced(row: Row): DisplacedRow {
  const reader = new RowReader('displaced', row, 'key')
  const kind = reader.text('kind')
  const key = reader.blob('key', kind === 'versions' ? ID_LENGTH : KEY_LENGTH)
  const was = reader.optionalBlob('was')
  reader.verify([reader.integer('vault'), kind, key, was])
  try {
    if (kind === 'members') return { kind, key, was: was === null ? undefined : unpackMember(was) }
    if (kind === 'entries') return { kind, key, was: was === null ? undefined : entryRow(decodeEntry(was), was) }
  } catch (error) {
    throw reader.damaged('it is no row of its table', error)
  }
  if (kind !== 'versions' || was !== null) throw reader.damaged('there is no such row')
  return { kind, key, was: undefined }
}

/** The id's 36 bytes, the size in eight bytes, big-endian, then the links' ids. */
function packMember({ id, size, links }: Member): Uint8Array {
  const sized = Buffer.alloc(8)
  sized.writeBigUInt64BE(BigInt(size))
  return Buffer.concat([idBytes(id), sized, packIds(links) ?? new Uint8Array(0)])
}

function unpackMember(packed: Bytes): Member {
  const size = Number(Buffer.from(packed.subarray(ID_LENGTH, ID_LENGTH + 8)).readBigUInt64BE())
  return { id: idFromBytes(packed.subarray(0, ID_LENGTH)), size, links: unpackIds(packed.subarray(ID_LENGTH + 8)) }
}
