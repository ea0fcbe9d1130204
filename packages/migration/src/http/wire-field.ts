import type { Bytes, ContentId, Subtree } from '@vault/core'
import { KEY_LENGTH } from '@vault/core'
import type { HeldBlock, IntakeBatch, KeyedEntry, KeyedMember, Member, Query, Tenure, TenureState } from '@vault/soup'
import { checkQuery, TENURE_STATES } from '@vault/soup'
import type { Statement } from '@vault/transfer'
import { coverage } from '../certificate/certificate.ts'
import type { LogEnd } from '../move/move-endpoint.ts'
import { MOVE_PHASES } from '../move/phase.ts'
import type { MoveState } from '../move/state.ts'
import type { Field, Fields } from '../records/field.ts'
import { bytes, count, FieldFault, hex, id, list, map, nullable, text } from '../records/field.ts'
import { hexId, MAX_NOTE, statementField } from '../records/statement-field.ts'
import { MAX_PROOFS } from './proof-limits.ts'

/** A map with these fields, of which the optional ones may be left out, and no others. */
export function shape<T>(
  fields: Partial<Fields<T>>,
  optional: { readonly [Name in keyof T]?: Field<NonNullable<T[Name]>> } = {},
): Field<T> {
  return (value, name) => {
    if (typeof value !== 'object' || value === null) throw new FieldFault(name, 'is no map')
    const present = Object.entries(optional).filter(([key]) => Object.hasOwn(value, key))
    return map<T>({ ...fields, ...Object.fromEntries(present) } as Fields<T>)(value, name)
  }
}

/** One of these words. */
export function word<T extends string>(...words: readonly T[]): Field<T> {
  return (value, name) => {
    if (!words.includes(value as T)) throw new FieldFault(name, `is none of ${words.join(', ')}`)
    return value as T
  }
}

/** Bytes that may be none. */
export const anyBytes: Field<Uint8Array<ArrayBuffer>> = (value, name) => {
  if (!(value instanceof Uint8Array)) throw new FieldFault(name, 'is not bytes')
  return value as Uint8Array<ArrayBuffer>
}

/** Text that may be empty. */
export const anyText: Field<string> = (value, name) => {
  if (typeof value !== 'string' || value.length > 4_096) throw new FieldFault(name, 'is no text of at most 4,096')
  return value
}

/** Nothing. */
export const nothing: Field<null> = (value, name) => {
  if (value !== null) throw new FieldFault(name, 'is not null')
  return null
}

export const bool: Field<boolean> = (value, name) => {
  if (typeof value !== 'boolean') throw new FieldFault(name, 'is neither true nor false')
  return value
}

// What one request may list: the copy of a vault never lists more.
const MOST_MEMBERS = 16_384
const MOST_LINKS = 262_144
const MOST_ROWS = 32_768
// Entries that a query finds at a time: of the longest, half of an answer.
const MOST_QUERIED: number = 768
const MAX_ROW = 64 * 1024
const MAX_DOCUMENT = 1024 * 1024

/** The envelope of a document, or its payload. */
export const document: Field<Uint8Array<ArrayBuffer>> = bytes({ most: MAX_DOCUMENT })
export const note: Field<Uint8Array<ArrayBuffer>> = bytes({ most: MAX_NOTE })
export const key32: Field<Uint8Array<ArrayBuffer>> = bytes({ length: KEY_LENGTH })
export const keyEvents: Field<readonly Uint8Array<ArrayBuffer>[]> = list(document, 4_096, 1)
/** Certificates that are shown. */
export const proofs: Field<readonly Uint8Array<ArrayBuffer>[]> = list(bytes({ most: 32 * 1024 }), MAX_PROOFS, 1)
export const ids: Field<readonly ContentId[]> = list(id, 65_536)
export const keys: Field<readonly Uint8Array<ArrayBuffer>[]> = list(key32, MOST_ROWS)
export const flags: Field<readonly boolean[]> = list(bool, 65_536)
export const limit: Field<number> = (value, name) => {
  const number = count(value, name)
  if (number < 1 || number > 65_536) throw new FieldFault(name, 'is no number from 1 to 65,536')
  return number
}
export const prefix: Field<string> = (value, name) => {
  if (typeof value !== 'string' || !/^[0-9a-f]{0,64}$/.test(value)) throw new FieldFault(name, 'is no prefix of a key')
  return value
}

export const subtree: Field<Subtree> = map<Subtree>({ hash: key32, count })

const member: Field<Member> = map<Member>({ id, size: count, links: list(id, MOST_LINKS) })
export const keyedMembers: Field<readonly KeyedMember[]> = list(
  map<KeyedMember>({ id, size: count, links: list(id, MOST_LINKS), key: key32 }),
  65_536,
)
export const keyedEntries: Field<readonly KeyedEntry[]> = list(
  map<KeyedEntry>({ key: key32, bytes: bytes({ most: MAX_ROW }) }),
  65_536,
)
export const heldBlocks: Field<readonly HeldBlock[]> = list(map<HeldBlock>({ id, size: count }), 65_536)

export const tenureState: Field<TenureState> = word(...TENURE_STATES)
/** The name of a migration: those that are made here have 32 hexadecimal digits. */
export const migration: Field<string> = text(128)

export const tenure: Field<Tenure> = shape<Tenure>(
  { vault: id, state: tenureState, epoch: count, sequence: count, events: count },
  {
    migration,
    driver: count,
    before: shape<NonNullable<Tenure['before']>>({ state: tenureState, sequence: count }, { migration }),
  },
)

export const logEnd: Field<LogEnd> = map<LogEnd>({ note, size: count, root: hex(64) })

/** A query that says how many entries it is for. They come in the order of keys: any other one would be made anew for each. */
export const query: Field<Query & { readonly limit: number }> = (value, name) => {
  try {
    checkQuery(value as Query)
  } catch (cause) {
    throw new FieldFault(name, 'is no query', cause)
  }
  const { limit: most, order } = value as Query
  if (order !== undefined) throw new FieldFault(`${name}.order`, 'is not asked for')
  if (most === undefined || most > MOST_QUERIED)
    throw new FieldFault(`${name}.limit`, `is none of at most ${MOST_QUERIED}`)
  return value as Query & { readonly limit: number }
}

const entryName: Field<string> = text(4_096)
const row: Field<Uint8Array<ArrayBuffer>> = bytes({ most: MAX_ROW })
/** Entries, as their canonical bytes. */
export const rows: Field<readonly Uint8Array<ArrayBuffer>[]> = list(row, MOST_QUERIED)

export const intakeBatch: Field<IntakeBatch> = shape<IntakeBatch>(
  { migration },
  {
    driver: count,
    segments: list(text(256), 4_096),
    objects: shape<NonNullable<IntakeBatch['objects']>>({}, { add: list(member, MOST_MEMBERS), remove: ids }),
    entries: shape<NonNullable<IntakeBatch['entries']>>(
      {},
      { put: list(row, MOST_ROWS), remove: list(entryName, MOST_ROWS) },
    ),
    versions: list(row, MOST_ROWS),
    hold: heldBlocks,
    record: bytes({ most: MAX_ROW }),
  },
)

const verification = map({ coverage, checked: map({ objects: count, bytes: count, entries: count }) })
const sent: Field<MoveState['sent']> = map<MoveState['sent']>({
  objects: count,
  bytes: count,
  entries: count,
  versions: count,
  objectsRemoved: count,
  entriesRemoved: count,
  rounds: count,
  batches: count,
})

/** The state of a move as it is written: its own module says which of it is used. */
export const moveState: Field<MoveState> = (value, name) => {
  const found = stateHead(value, name)
  for (const part of ['plan', 'keyEvent', 'handoff', 'ready', 'acceptance'] as const) {
    document(found[part], `${name}.${part}`)
  }
  statementField(found.statement, `${name}.statement`)
  map({ asked: count, sample: list(document, 64) })(found.possession, `${name}.possession`)
  verification(found.verification, `${name}.verification`)
  return found
}

/** The state of a move that was taken back. How far it had come is not said. */
export const takenBackState: Field<MoveState> = (value, name) => {
  const found = stateHead(value, name)
  if (found.phase !== 'rolled-back') throw new FieldFault(`${name}.phase`, 'is not rolled-back')
  nullable(statementField)(found.statement, `${name}.statement`)
  nullable(verification)(found.verification, `${name}.verification`)
  nullable(text(4_096))(found.reason, `${name}.reason`)
  if (found.certificate !== null) throw new FieldFault(`${name}.certificate`, 'is of no move that was taken back')
  return found
}

/** What every state of a move has. */
function stateHead(value: unknown, name: string): MoveState {
  const found = value as Partial<MoveState> | null
  if (typeof found !== 'object' || found === null || found.type !== 'migration-state' || found.v !== 1) {
    throw new FieldFault(name, 'is no state of a migration')
  }
  hexId(found.migration, `${name}.migration`)
  id(found.vault, `${name}.vault`)
  word(...MOVE_PHASES)(found.phase, `${name}.phase`)
  count(found.planned, `${name}.planned`)
  sent(found.sent, `${name}.sent`)
  return found as MoveState
}

export const statement: Field<Statement> = statementField

/** What is said to the other place is only read, so whose memory it lies in does not matter. */
export function asBytes(bytes: Uint8Array): Bytes {
  return bytes as Bytes
}
