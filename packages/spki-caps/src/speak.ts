import type { ContentId, KeyId, Threshold } from '@vault/core'
import { matchesId, publicKeyOf } from '@vault/core'
import type { HashPrincipal, NamePrincipal, Principal } from './principal.ts'
import { isHash, isName, isThreshold, isVault, principalText } from './principal.ts'
import type { Voices } from './voices.ts'

/** How a principal spoke that has not spoken itself. */
export interface Way {
  /** The keys that are taken by it: in a threshold they count for nobody else. */
  readonly keys: readonly KeyId[]
}

/** What decides whether a principal has spoken. */
export interface Hearing<W extends Way = Way> {
  readonly voices: Voices
  /** The operators of a vault. */
  operators(vault: ContentId): Threshold | undefined
  /**
   * The ways by which this principal let somebody speak who has spoken: by the keys that signed a certificate of its own, or, of a name,
   * by those of everybody who is called so.
   */
  granted?(text: string): readonly W[]
}

/** Whether a principal has spoken, and by whose keys. */
export type Spoken<W extends Way = Way> =
  | {
      readonly ok: true
      readonly keys: readonly KeyId[]
      /** The ways of those who have spoken through others. */
      readonly through: readonly W[]
    }
  | {
      readonly ok: false
      /** `repeated`: there would be enough if one who spoke twice counted twice. */
      readonly why: 'silent' | 'few' | 'repeated' | 'unknown-vault'
      readonly have: number
      readonly need: number
    }

const SILENT: Spoken<never> = { ok: false, why: 'silent', have: 0, need: 1 }

/**
 * Whether this principal has spoken. In a threshold each key counts once, for one member, however often it signed and in
 * whatever form it is named. Where members that need several keys share some, fewer may be counted than is possible, but
 * never more.
 */
export function speak<W extends Way>(principal: Principal, hearing: Hearing<W>): Spoken<W> {
  return speakWithout(principal, hearing, new Set())
}

/**
 * All ways by which somebody has spoken through others; where he has not, the one in which he speaks himself. Of several who speak together also
 * some that do without one of those who are heard first: he may be needed beside them.
 */
export function waysOf<W extends Way>(principal: Principal, hearing: Hearing<W>): readonly Said<W>[] {
  const own = (hearing.granted?.(principalText(principal)) ?? []).map(said)
  if (isName(principal)) return own
  if (isThreshold(principal) && principal.threshold === 1)
    return [...own, ...principal.of.flatMap((each) => waysOf(each, hearing))]
  if (own.length > 0) return own
  const spoken = speak(principal, hearing)
  if (!spoken.ok) return []
  const others = spoken.keys.slice(0, MOST_OTHERS).map((key) => speakWithout(principal, hearing, new Set([key])))
  return [spoken, ...others.filter((other) => other.ok)]
}

/** Each takes as long to hear as the first. */
const MOST_OTHERS = 4

export type Said<W extends Way = Way> = Extract<Spoken<W>, { readonly ok: true }>

function speakWithout<W extends Way>(principal: Principal, hearing: Hearing<W>, taken: ReadonlySet<KeyId>): Spoken<W> {
  const ways = hearing.granted?.(principalText(principal)) ?? []
  const way = ways.find(({ keys }) => keys.every((key) => !taken.has(key)))
  if (way !== undefined) return said(way)
  if (typeof principal === 'string') return hears(hearing, principal, taken) ? one(principal) : SILENT
  if (isHash(principal)) return speakByHash(principal, hearing, taken)
  if (isName(principal)) return SILENT
  if (isThreshold(principal)) return count(principal.of, principal.threshold, hearing, taken)
  const operators = hearing.operators(principal.vault.id)
  if (operators === undefined) return { ok: false, why: 'unknown-vault', have: 0, need: 1 }
  // What an operator grants on is the operator's, not the vault's: only their own voices count for it.
  const { voices } = hearing
  return count(operators.keys, operators.threshold, { voices, operators: hearing.operators }, taken)
}

function speakByHash<W extends Way>(
  { hash }: HashPrincipal,
  hearing: Hearing<W>,
  taken: ReadonlySet<KeyId>,
): Spoken<W> {
  const key = hearing.voices.claimed.find((claimed) => matchesId(hash.id, publicKeyOf(claimed)))
  return key !== undefined && hears(hearing, key, taken) ? one(key) : SILENT
}

/** Members of a threshold that have spoken, each by keys that no other one has. */
type Seats<W extends Way> = Map<Principal, Said<W>>

function count<W extends Way>(
  members: readonly Principal[],
  need: number,
  hearing: Hearing<W>,
  taken: ReadonlySet<KeyId>,
): Spoken<W> {
  let first: Seats<W> | undefined
  for (const order of ordersOf(members)) {
    const seats = seat(order, need, hearing, taken)
    if (seats.size === need) {
      const counted = [...seats.values()]
      return { ok: true, keys: counted.flatMap(({ keys }) => keys), through: counted.flatMap(({ through }) => through) }
    }
    first ??= seats
  }
  const seats: Seats<W> = first ?? new Map()
  let repeated = members.filter((member) => !seats.has(member) && speakWithout(member, hearing, taken).ok).length
  for (const key of keysIn(seats)) {
    const times = hearing.voices.claimed.filter((claimed) => claimed === key).length
    repeated += Math.max(0, times - 1)
  }
  return { ok: false, why: seats.size + repeated >= need ? 'repeated' : 'few', have: seats.size, need }
}

function seat<W extends Way>(
  order: readonly Principal[],
  need: number,
  hearing: Hearing<W>,
  taken: ReadonlySet<KeyId>,
): Seats<W> {
  const seats: Seats<W> = new Map()
  let used = new Set(taken)
  for (const member of order) {
    const spoken = speakWithout(member, hearing, used)
    if (spoken.ok) {
      seats.set(member, spoken)
      for (const key of spoken.keys) used.add(key)
    } else if (isName(member) && makeRoom(member, seats, hearing, new Set(taken))) {
      used = new Set([...taken, ...keysIn(seats)])
    }
    if (seats.size === need) break
  }
  // Ways of several keys may have been moved onto each other: then nobody is counted.
  const keys = keysIn(seats)
  return new Set(keys).size === keys.length ? seats : new Map()
}

/** Seats a name by a way that another name has, where that one can do with another of its own; and so on. */
function makeRoom<W extends Way>(
  name: NamePrincipal,
  seats: Seats<W>,
  hearing: Hearing<W>,
  tried: Set<KeyId>,
): boolean {
  for (const way of hearing.granted?.(principalText(name)) ?? []) {
    if (way.keys.some((key) => tried.has(key))) continue
    for (const key of way.keys) tried.add(key)
    const [holder, ...others] = [...seats]
      .filter(([member, { keys }]) => member !== name && keys.some((key) => way.keys.includes(key)))
      .map(([member]) => member)
    const isRoom =
      holder === undefined || (others.length === 0 && isName(holder) && makeRoom(holder, seats, hearing, tried))
    if (isRoom) {
      seats.set(name, said(way))
      return true
    }
  }
  return false
}

/**
 * A member that one key alone can speak for goes before those that could do with another key instead. Whether a name should leave keys to
 * those that need several, or they to it, is seen by trying both.
 */
function ordersOf(members: readonly Principal[]): readonly (readonly Principal[])[] {
  const isGroup = (member: Principal) => isThreshold(member) || isVault(member)
  const names = members.filter(isName)
  const groups = members.filter(isGroup)
  const simple = members.filter((member) => !isName(member) && !isGroup(member))
  const first = [...simple, ...names, ...groups]
  return names.length > 0 && groups.length > 0 ? [first, [...simple, ...groups, ...names]] : [first]
}

function keysIn<W extends Way>(seats: Seats<W>): readonly KeyId[] {
  return [...seats.values()].flatMap(({ keys }) => keys)
}

function hears({ voices }: Hearing, key: KeyId, taken: ReadonlySet<KeyId>): boolean {
  return !taken.has(key) && voices.has(key)
}

function said<W extends Way>(way: W): Said<W> {
  return { ok: true, keys: way.keys, through: [way] }
}

function one(key: KeyId): Said<never> {
  return { ok: true, keys: [key], through: [] }
}
