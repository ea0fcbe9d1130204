import type { BatchAck } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId, KeyId, Prefix, Subtree } from '@vault/core'
import type { FeedRange, HeldBlock, IntakeBatch, KeyedEntry, KeyedMember, Query, Received, Tenure } from '@vault/soup'
import type { Offer } from '../endpoint.ts'
import type { LiveRecord } from '../move/live/live-record.ts'
import type { MoveOffer, NumberedBatch } from '../move/move-endpoint.ts'
import type { MoveStatus } from '../move/move-status.ts'
import type { MoveState } from '../move/state.ts'
import type { Field } from '../records/field.ts'
import { bytes, count, hex, id, key, list, map, nullable, text } from '../records/field.ts'
import { MAX_REHASHED } from '../records/rehash.ts'
import type { PlanRequest } from './move-field.ts'
import { effect, liveRecord, movePhase, moveStatuses, planRequest } from './move-field.ts'
import type { MarkedSpan, PackedDifferences } from './span-field.ts'
import { markedSpans, packedDifferences } from './span-field.ts'
import {
  anyBytes,
  anyText,
  document,
  flags,
  heldBlocks,
  ids,
  intakeBatch,
  key32,
  keyEvents,
  keyedEntries,
  keyedMembers,
  keys,
  limit,
  logEnd,
  migration,
  moveState,
  note,
  nothing,
  prefix,
  proofs,
  query,
  rows,
  shape,
  statement,
  subtree,
  tenure,
  word,
} from './wire-field.ts'

/** As what a place is asked: of the source of a migration whoever asks needs leave to `migrate`, of its target to `write`; only to look at the state of a vault, to `read`. */
export type Side = 'source' | 'target' | 'state'

/** One thing that can be asked of a place over the wire. */
export interface Call<Request, Response> {
  readonly sides: readonly Side[]
  /** What it is for, in the document for people. */
  readonly summary: string
  readonly request: Field<Request>
  readonly response: Field<Response>
  /** Longest request in bytes. Default 8 MiB. */
  readonly maxBytes?: number
}

/** What a target says of itself. */
export interface PlaceName {
  readonly label: string
  readonly instance: string
  readonly key: KeyId
}

/** A view that is held open for the one who reads it. */
export interface HeldView {
  readonly view: string
  readonly sequence: number
  readonly counts: { readonly objects: number; readonly bytes: number; readonly entries: number }
}

interface ViewRange {
  readonly view: string
  readonly table: 'objects' | 'entries'
  readonly prefix: Prefix
}

/** A target that was opened for writing. */
export interface Session {
  readonly session: string
  readonly found: Tenure
}

/** A move that goes on when it is resumed. */
export type PausedMove = Pick<MoveState, 'migration' | 'phase' | 'next'>

/** Strictly after `after`, at most `limit`. */
interface Page<Key> {
  readonly after?: Key
  readonly limit: number
}

/** At most `limit` entries. */
export type WireQuery = Query & { readonly limit: number }

type Packed = { readonly count: number; readonly keys: Bytes; readonly values: Bytes | null }
type WireMove<T> = Omit<T, 'vault'>

/** Everything that can be asked for with one request and one answer, by its name in the path. */
export interface Calls {
  readonly place: Call<null, PlaceName>
  readonly present: Call<{ readonly proofs: readonly Bytes[] }, null>
  readonly tenure: Call<null, Tenure>
  readonly charged: Call<{ readonly ids: readonly ContentId[] }, readonly boolean[]>
  readonly holds: Call<{ readonly ids: readonly ContentId[] }, readonly boolean[]>
  readonly held: Call<Page<ContentId>, readonly HeldBlock[]>
  readonly members: Call<Page<Bytes>, readonly KeyedMember[]>
  readonly 'members-by-key': Call<{ readonly keys: readonly Bytes[] }, readonly KeyedMember[]>
  readonly entries: Call<Page<Bytes>, readonly KeyedEntry[]>
  readonly 'entries-by-key': Call<{ readonly keys: readonly Bytes[] }, readonly KeyedEntry[]>
  readonly query: Call<WireQuery, readonly Bytes[]>
  readonly version: Call<{ readonly id: ContentId }, Bytes | null>
  readonly feed: Call<null, FeedRange>
  readonly 'has-objects': Call<{ readonly ids: readonly ContentId[] }, readonly boolean[]>
  readonly 'open-view': Call<null, HeldView>
  readonly 'close-view': Call<{ readonly view: string }, null>
  readonly scan: Call<ViewRange & Page<Bytes>, Packed>
  readonly children: Call<ViewRange, readonly (Subtree | null)[]>
  readonly differences: Call<
    { readonly view: string; readonly table: 'objects' | 'entries'; readonly spans: readonly MarkedSpan[] },
    PackedDifferences
  >
  readonly 'key-events': Call<null, readonly Bytes[]>
  readonly look: Call<null, Tenure>
  readonly accept: Call<WireMove<MoveOffer>, Bytes>
  readonly endorse: Call<{ readonly migration: string; readonly keyEvent: Bytes }, Bytes>
  readonly open: Call<Pick<MoveOffer, 'migration' | 'driver'>, Session>
  readonly receive: Call<WireMove<Offer>, Session>
  readonly 'receive-part': Call<{ readonly from: ContentId; readonly migration: string }, Session>
  readonly intake: Call<{ readonly session: string; readonly request: string; readonly batch: IntakeBatch }, Received>
  readonly finish: Call<{ readonly session: string; readonly verified: number }, Tenure>
  readonly abandon: Call<{ readonly migration: string }, null>
  readonly batches: Call<
    { readonly migration: string; readonly after: number; readonly limit: number },
    readonly NumberedBatch[]
  >
  readonly prove: Call<
    { readonly migration: string; readonly batch: number; readonly id: ContentId; readonly nonce: Bytes },
    Bytes
  >
  readonly rehash: Call<
    { readonly migration: string; readonly ids: readonly ContentId[]; readonly nonce: Bytes },
    Bytes | null
  >
  readonly prepare: Call<
    {
      readonly migration: string
      readonly driver: number
      readonly statement: MoveState['statement'] & object
      readonly frozen: MoveState['frozen'] & object
      readonly keyEvent: Bytes
    },
    Bytes
  >
  readonly activate: Call<{ readonly handoff: Bytes; readonly keyEvent: Bytes }, Tenure>
  readonly decline: Call<{ readonly migration: string }, Bytes>
  readonly conclude: Call<MoveState, Bytes>
  readonly moves: Call<null, readonly MoveStatus[]>
  readonly 'pause-move': Call<{ readonly migration: string | null }, PausedMove>
  readonly 'plan-move': Call<PlanRequest, Bytes>
  readonly 'live-move': Call<{ readonly migration: string }, LiveRecord | null>
  readonly 'trail-head': Call<null, Bytes | null>
  readonly 'trail-file': Call<{ readonly name: string }, Bytes | null>
}

/** The answer of a call that stores blocks. */
export const batchAck: Field<BatchAck> = shape<BatchAck>({ ids, segment: anyText, bytes: count })

const BOTH: readonly Side[] = ['source', 'target']
const ALL: readonly Side[] = ['source', 'target', 'state']
const SOURCE: readonly Side[] = ['source']
const TARGET: readonly Side[] = ['target']

const received: Field<Received> = shape<Received>({ sequence: count, added: count, released: count }, { batch: count })
const session: Field<Session> = map<Session>({ session: hex(32), found: tenure })
const viewTable = { view: hex(32), table: word('objects', 'entries') }
const viewRange = { ...viewTable, prefix }
const page = { limit }

// A change of the longest entries, and the ids of a window.
const LONG: number = 96 * 1024 * 1024
// It is read before anything is known of whoever sends it.
const MAX_SHOWN: number = 64 * 1024

export const CALLS: Calls = {
  place: call(ALL, 'What the place is called, and its key', nothing, {
    response: map<PlaceName>({ label: text(256), instance: hex(32), key }),
  }),
  present: call(ALL, 'Shows certificates that grant leave, and keeps them in mind', map({ proofs }), {
    response: nothing,
    maxBytes: MAX_SHOWN,
  }),
  tenure: call(ALL, 'What may be done with the vault here', nothing, { response: tenure }),
  charged: call(BOTH, 'Which of these objects belong to the vault', map({ ids }), { response: flags }),
  holds: call(BOTH, 'Which of these blocks are held', map({ ids }), { response: flags }),
  held: call(BOTH, 'Blocks that the trail names', shape<Page<ContentId>>(page, { after: id }), {
    response: heldBlocks,
  }),
  members: call(BOTH, 'Objects, ascending by key', shape<Page<Bytes>>(page, { after: key32 }), {
    response: keyedMembers,
  }),
  'members-by-key': call(ALL, 'The objects with these keys', map({ keys }), { response: keyedMembers }),
  entries: call(BOTH, 'Entries, ascending by key', shape<Page<Bytes>>(page, { after: key32 }), {
    response: keyedEntries,
  }),
  'entries-by-key': call(ALL, 'The entries with these keys', map({ keys }), { response: keyedEntries }),
  query: call(SOURCE, 'Entries that a query finds', query, { response: rows }),
  version: call(BOTH, 'An earlier version of an entry', map({ id }), { response: nullable(anyBytes) }),
  feed: call(BOTH, 'How far back the feed reaches', nothing, { response: map({ oldest: count, latest: count }) }),
  'has-objects': call(BOTH, 'Which of these objects have bytes', map({ ids }), { response: flags }),
  'open-view': call(ALL, 'Holds one moment of the vault open', nothing, {
    response: map<HeldView>({
      view: hex(32),
      sequence: count,
      counts: map({ objects: count, bytes: count, entries: count }),
    }),
  }),
  'close-view': call(ALL, 'Lets a moment go', map({ view: hex(32) }), { response: nothing }),
  scan: call(ALL, 'Rows of a table', shape<ViewRange & Page<Bytes>>({ ...viewRange, ...page }, { after: key32 }), {
    response: map<Packed>({ count, keys: anyBytes, values: nullable(anyBytes) }),
  }),
  children: call(ALL, 'Subtrees of a table', map(viewRange), { response: list(nullable(subtree), 16, 16) }),
  differences: call(ALL, 'Where a table differs from what is stated', map({ ...viewTable, spans: markedSpans }), {
    response: packedDifferences,
  }),
  'key-events': call(SOURCE, 'The key events of the vault', nothing, { response: keyEvents }),
  look: call(TARGET, 'What a migration would find', nothing, { response: tenure }),
  accept: call(
    TARGET,
    'Accepts a migration',
    shape<WireMove<MoveOffer>>(
      { keyEvents, migration, plan: id, epoch: count, driver: count, keys: word('new', 'new-identity', 'keep') },
      { evidence: document },
    ),
    { response: document, maxBytes: LONG },
  ),
  endorse: call(TARGET, 'Signs the key event', map({ migration, keyEvent: document }), { response: document }),
  open: call(TARGET, 'Opens what was accepted', map({ migration, driver: count }), { response: session }),
  receive: call(TARGET, 'Opens the place for a copy', map({ keyEvents, migration }), {
    response: session,
    maxBytes: LONG,
  }),
  'receive-part': call(TARGET, 'Opens the active vault for a part of another one', map({ from: id, migration }), {
    response: session,
  }),
  intake: call(TARGET, 'Takes a batch', map({ session: hex(32), request: hex(32), batch: intakeBatch }), {
    response: received,
    maxBytes: LONG,
  }),
  finish: call(TARGET, 'Ends a copy', map({ session: hex(32), verified: count }), { response: tenure }),
  abandon: call(TARGET, 'Gives a copy up', map({ migration }), { response: nothing }),
  batches: call(TARGET, 'Batches as they were numbered', map({ migration, after: count, limit }), {
    response: list(map({ batch: count, record: anyBytes }), 65_536),
  }),
  prove: call(
    TARGET,
    'Proves that an object is stored',
    map({ migration, batch: count, id, nonce: bytes({ length: 32 }) }),
    { response: document },
  ),
  rehash: call(
    TARGET,
    'Reads objects back here, and proves it',
    map({ migration: hex(32), ids: list(id, MAX_REHASHED), nonce: bytes({ length: 32 }) }),
    { response: nullable(document) },
  ),
  prepare: call(
    TARGET,
    'Prepares for the hand-off',
    map({ migration, driver: count, statement, frozen: logEnd, keyEvent: document }),
    { response: document },
  ),
  activate: call(TARGET, 'Takes the vault', map({ handoff: document, keyEvent: document }), { response: tenure }),
  decline: call(TARGET, 'Gives a migration up for good', map({ migration }), { response: document }),
  conclude: call(TARGET, 'Makes the certificate', moveState, { response: document }),
  moves: call(SOURCE, 'The moves of the vault from here', nothing, { response: moveStatuses }),
  'pause-move': call(SOURCE, 'Lets a move stop behind its next batch', map({ migration: nullable(migration) }), {
    response: map<PausedMove>({ migration, phase: movePhase, next: nullable(effect) }),
  }),
  'plan-move': call(SOURCE, 'What moving the vault to another server would do', planRequest, { response: document }),
  'live-move': call(SOURCE, 'How a live move from here caught up', map({ migration }), {
    response: nullable(liveRecord),
  }),
  'trail-head': call(SOURCE, 'The signed end of the trail', nothing, { response: nullable(note) }),
  'trail-file': call(SOURCE, 'A file of the trail', map({ name: text(256) }), { response: nullable(anyBytes) }),
}

/** The names of all calls. */
export type CallName = keyof Calls

/** What a call is asked with, and what it gives. */
export type RequestOf<Name extends CallName> = Calls[Name] extends Call<infer Request, unknown> ? Request : never
export type ResponseOf<Name extends CallName> = Calls[Name] extends Call<unknown, infer Response> ? Response : never

/** Asks one place. */
export type Ask = <Name extends CallName>(
  name: Name,
  request: RequestOf<Name>,
  options?: AbortOptions,
) => Promise<ResponseOf<Name>>

function call<Request, Response>(
  sides: readonly Side[],
  summary: string,
  request: Field<Request>,
  rest: { readonly response: Field<Response>; readonly maxBytes?: number },
): Call<Request, Response> {
  return { sides, summary, request, ...rest }
}
