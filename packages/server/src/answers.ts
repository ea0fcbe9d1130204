import { type AbortOptions, type Bytes, type ContentId, decodeEnvelope, type KeyId, type Subtree } from '@vault/core'
import { moveStatuses } from '@vault/embedded'
import { spanDifferences } from '@vault/merkle'
import { encodePlan, isEnded, listMoves, ownObjects, parseHandoff, pauseMove, readLiveMove } from '@vault/migration'
import {
  type CallName,
  isMarked,
  packDifferences,
  type RequestOf,
  type ResponseOf,
  type Side,
} from '@vault/migration/http'
import { encodeEntry } from '@vault/soup'
import { refusal } from './refusal.ts'
import type { ServedPlace } from './served-place.ts'

/** Who asks, and about what. */
export interface Asked {
  readonly served: ServedPlace
  readonly vault: ContentId
  readonly side: Side
  readonly key: KeyId
  readonly options: AbortOptions
  /** As `options`, and ends when the client has gone: for work that changes nothing. What changes something is done, and found done when it is asked for again. */
  readonly whileThere: () => AbortOptions
  /** Counts the request as so many more of its key. */
  readonly spend: (requests: number) => void
  /** Asks for leave to do more than the side of the request already needs. Throws `HTTP_NOT_ALLOWED`. */
  readonly require: (action: 'migrate' | 'receive-part' | 'move-away') => Promise<void>
  /** Keeps in mind that the client brings the vault by this migration, which is to be done before it comes. */
  readonly brings: (migration: string) => Promise<void>
  /** Keeps in mind what certificates the client shows. Throws `HTTP_NOT_ALLOWED` where they do not grant what the side needs. */
  readonly show: (proofs: readonly Uint8Array[]) => Promise<void>
}

// Objects, each of which is read and hashed, that cost a client as much as a request.
const REHASHED_FOR_ONE = 64

type Answer<Name extends CallName> = (asked: Asked, request: RequestOf<Name>) => Promise<ResponseOf<Name>>

const soupOf = ({ served, vault }: Asked) => served.place.soups.soup(vault)

const holderOf = ({ vault, key: owner }: Asked) => ({ owner, vault })

function tableOf(asked: Asked, { view, table }: { readonly view: string; readonly table: 'objects' | 'entries' }) {
  return asked.served.views.use(view, holderOf(asked))[table]
}

function openSession(
  { served, vault, key: owner }: Asked,
  opened: Omit<Parameters<ServedPlace['sessions']['add']>[0], 'owner' | 'vault'>,
): ResponseOf<'open'> {
  return { session: served.sessions.add({ owner, vault, ...opened }), found: opened.receiving.found }
}

/** A target that this client has opened, and may still write. Throws `HTTP_SESSION`, `HTTP_NOT_ALLOWED`. */
async function opened({ served, vault, key: owner, require }: Asked, session: string) {
  const open = served.sessions.use(session, { owner, vault })
  if (open.needs !== undefined) await require(open.needs)
  return open
}

/** A document that names a vault: leave was asked for the one in the path, and for no other. Throws `HTTP_REQUEST_INVALID`. */
function requireSame({ vault }: Asked, named: ContentId): void {
  if (named !== vault) throw refusal('HTTP_REQUEST_INVALID', 'The document is of another vault than the one asked for.')
}

/** How each call is answered: by the port behind it, and by nothing else. */
export const ANSWERS: { readonly [Name in CallName]: Answer<Name> } = {
  async place({ served }) {
    const { label, seat } = served
    return { label, instance: seat.instance, key: seat.place.key }
  },
  async present({ show }, { proofs }) {
    await show(proofs)
    return null
  },
  tenure: (asked) => soupOf(asked).tenure(asked.options),
  charged: (asked, { ids }) => soupOf(asked).charged(ids, asked.options),
  holds: (asked, { ids }) => soupOf(asked).holds(ids, asked.options),
  held: (asked, range) => soupOf(asked).held(range, asked.options),
  members: (asked, range) => soupOf(asked).members(range, asked.options),
  'members-by-key': (asked, { keys }) => soupOf(asked).membersByKey(keys, asked.options),
  entries: (asked, range) => soupOf(asked).entriesAfter(range, asked.options),
  'entries-by-key': (asked, { keys }) => soupOf(asked).entriesByKey(keys, asked.options),
  async query(asked, query) {
    const found: Bytes[] = []
    for await (const page of soupOf(asked).query(query, asked.whileThere())) found.push(...page.map(encodeEntry))
    return found
  },
  version: async (asked, { id }) => (await soupOf(asked).version(id, asked.options)) ?? null,
  feed: (asked) => soupOf(asked).feed(asked.options),
  async 'has-objects'(asked, { ids }) {
    const { options, served } = asked
    const own = await ownObjects(soupOf(asked), ids, options)
    const there = await served.place.objects.hasMany(own, options)
    const found = new Set(own.filter((_, i) => there[i]))
    return ids.map((id) => found.has(id))
  },
  'open-view': (asked) => asked.served.views.open(soupOf(asked), holderOf(asked), asked.whileThere()),
  async 'close-view'(asked, { view }) {
    asked.served.views.close(view, holderOf(asked))
    return null
  },
  async scan(asked, { prefix, after, limit, ...which }) {
    const range = { prefix, limit, ...(after && { after }) }
    const { count, keys, values } = await tableOf(asked, which).scan(range, asked.options)
    return { count, keys, values: values ?? null }
  },
  async children(asked, { prefix, ...which }) {
    const found = await tableOf(asked, which).children(prefix, asked.options)
    return found.map((subtree): Subtree | null => subtree ?? null)
  },

  moves: ({ served, vault, options }) => moveStatuses(served.place, { vault, clock: served.clock, ...options }),
  async 'pause-move'(asked, { migration: named }) {
    const { served, vault, options } = asked
    await asked.require('move-away')
    const { records } = served.place.soups
    const moves = await listMoves(records, { ...options, vault })
    const move = moves.find(({ migration, phase }) => (named === null ? !isEnded(phase) : migration === named))
    if (move === undefined) throw refusal('HTTP_REQUEST_INVALID', 'No such migration of the vault is under way here.')
    const { migration, phase, next } = await pauseMove(records, move.migration, options)
    return { migration, phase, next }
  },
  'plan-move': async (asked, request) => encodePlan(await asked.served.away.plan(asked, request)),
  async 'live-move'({ served, vault, options }, { migration }) {
    const { records } = served.place.soups
    const moves = await listMoves(records, { ...options, vault })
    if (!moves.some((move) => move.migration === migration)) return null
    return (await readLiveMove(records, migration, options)) ?? null
  },

  async differences(asked, { spans, ...which }) {
    const stated = spans.map((span) => ({
      prefix: span.prefix,
      isSame: (digit: number, subtree: Subtree) => isMarked(which.view, span, digit, subtree),
    }))
    return packDifferences(await spanDifferences(tableOf(asked, which), stated, asked.options))
  },
  'key-events': ({ served, vault, options }) => served.place.soups.tenures.keyEvents(vault, options),
  async 'trail-head'({ served, vault, key, options }) {
    return (await served.trail(vault, key, options, { anew: true }))?.note ?? null
  },
  async 'trail-file'({ served, vault, key, options }, { name }) {
    const trail = await served.trail(vault, key, options, { anew: false })
    return (await trail?.log.read(name, options)) ?? null
  },

  look: async ({ served, vault, options }) => (await served.move.look(vault, options)).tenure,
  async accept({ served, vault, options, brings }, offer) {
    await brings(offer.migration)
    return await served.move.accept({ ...offer, vault }, options)
  },
  endorse: ({ served, vault, options }, request) => served.move.endorse({ ...request, vault }, options),
  async open(asked, { migration, driver }) {
    const { served, vault, options } = asked
    return openSession(asked, { receiving: await served.move.open({ vault, migration, driver }, options) })
  },
  async receive(asked, { keyEvents, migration }) {
    const { served, vault, options } = asked
    await asked.brings(migration)
    return openSession(asked, { receiving: await served.copy.receive({ vault, keyEvents, migration }, options) })
  },
  async 'receive-part'(asked, { from, migration }) {
    const { served, vault, key, options } = asked
    await asked.require('receive-part')
    const receiving = await served.receivePart({ vault, from, migration, by: key }, options)
    return openSession(asked, { receiving, needs: 'receive-part' })
  },
  async intake(asked, { session, request, batch }) {
    const { served, vault, key, options } = asked
    const open = await opened(asked, session)
    return await served.sessions.take(open, { request, batch }, served.storedBy(key, vault), options)
  },
  async finish(asked, { session, verified }) {
    const { finish } = (await opened(asked, session)).receiving
    if (finish === undefined) throw refusal('HTTP_REQUEST_INVALID', 'A move is prepared and activated, not finished.')
    return await finish(verified, asked.options)
  },
  async abandon({ served, vault, options }, { migration }) {
    await served.copy.abandon(vault, migration, options)
    return null
  },
  batches: ({ served, vault, options }, range) => served.move.batches({ ...range, vault }, options),
  prove: ({ served, vault, options }, request) => served.move.prove({ ...request, vault }, options),
  async rehash(asked, request) {
    const { served, vault } = asked
    asked.spend(Math.floor(request.ids.length / REHASHED_FOR_ONE))
    const options = asked.whileThere()
    const own = await ownObjects(soupOf(asked), request.ids, options)
    return own.length === request.ids.length ? ((await served.rehash({ ...request, vault }, options)) ?? null) : null
  },
  prepare: ({ served, vault, options }, request) => served.move.prepare({ ...request, vault }, options),
  async activate(asked, request) {
    requireSame(asked, parseHandoff(decodeEnvelope(request.handoff).payload).vault.id)
    return await asked.served.move.activate(request, asked.options)
  },
  decline: ({ served, vault, options }, { migration }) => served.move.decline({ vault, migration }, options),
  async conclude(asked, state) {
    requireSame(asked, state.vault)
    return await asked.served.move.conclude(state, asked.options)
  },
}
