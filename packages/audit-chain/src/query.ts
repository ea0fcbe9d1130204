import type { AuditEntry } from './entry.ts'
import { matchesPattern } from './pattern.ts'
import { trailError } from './trail-error.ts'

/** Seconds since 1970, or how long ago: a number and `m`, `h`, `d` or `w`, as `30m`. */
export type QueryTime = number | string

/** Which entries of a trail are asked for: exactly one of these. */
export type AuditQuery =
  | { readonly verb: string }
  /** `*` stands for any text, everything else for itself. */
  | { readonly object: string }
  /** At this time or later. */
  | { readonly since: QueryTime }
  /** Before this time. */
  | { readonly before: QueryTime }
  /** Indexes from `from` on and before `to`; all where left out. */
  | { readonly sequence: { readonly from?: number; readonly to?: number } }
  /** All of them; of none, every entry. */
  | { readonly and: readonly AuditQuery[] }
  /** Any of them; of none, no entry. */
  | { readonly or: readonly AuditQuery[] }
  | { readonly not: AuditQuery }

/** Bounds of a query: it may come from outside. */
export const AUDIT_QUERY_LIMITS = { depth: 32, criteria: 256, text: 4096 } as const

/** A query that has been checked. */
export interface CompiledQuery {
  matches(entry: AuditEntry): boolean
  /** No entry before `from`, and none at `to` or later, fits. */
  readonly from: number
  readonly to: number
}

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 }
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER } as const

/** Checks a query of any origin. Relative times are taken from `now`. Throws `AUDIT_QUERY_INVALID`, and nothing else. */
export function compileQuery(query: AuditQuery, now: Date): CompiledQuery {
  return new Compiler(Math.floor(now.getTime() / 1000)).compile(query, 0)
}

/** Whether an entry fits a query. To ask of many, {@link compileQuery} once. Throws `AUDIT_QUERY_INVALID`. */
export function matchesQuery(query: AuditQuery, entry: AuditEntry, now: Date): boolean {
  return compileQuery(query, now).matches(entry)
}

class Compiler {
  readonly #now: number
  #criteria = 0

  constructor(now: number) {
    this.#now = now
  }

  compile(query: unknown, depth: number): CompiledQuery {
    if (depth > AUDIT_QUERY_LIMITS.depth) throw invalidQuery(`it nests deeper than ${AUDIT_QUERY_LIMITS.depth}`)
    if (++this.#criteria > AUDIT_QUERY_LIMITS.criteria) {
      throw invalidQuery(`it has more than ${AUDIT_QUERY_LIMITS.criteria} criteria`)
    }
    const [[name, value] = [], ...others] = typeof query === 'object' && query !== null ? Object.entries(query) : []
    if (others.length > 0) throw invalidQuery('a criterion has more than one name: combine several with and')
    switch (name) {
      case 'verb': {
        const verb = textOf(name, value)
        return { ...ALL, matches: ({ action }) => action.verb === verb }
      }
      case 'object': {
        const pattern = textOf(name, value)
        return { ...ALL, matches: ({ action }) => matchesPattern(pattern, action.object) }
      }
      case 'since': {
        const since = this.#time(value)
        return { ...ALL, matches: ({ time }) => time >= since }
      }
      case 'before': {
        const before = this.#time(value)
        return { ...ALL, matches: ({ time }) => time < before }
      }
      case 'sequence':
        return sequence(value)
      case 'and':
        return all(this.#several(name, value, depth))
      case 'or':
        return any(this.#several(name, value, depth))
      case 'not': {
        const { matches } = this.compile(value, depth + 1)
        return { ...ALL, matches: (entry) => !matches(entry) }
      }
      default:
        throw invalidQuery(`there is no criterion ${JSON.stringify(name)?.slice(0, 80)}`)
    }
  }

  #several(name: string, value: unknown, depth: number): readonly CompiledQuery[] {
    if (!Array.isArray(value)) throw invalidQuery(`${name} takes a list`)
    return value.map((each) => this.compile(each, depth + 1))
  }

  #time(value: unknown): number {
    if (typeof value === 'number' && Number.isFinite(value)) return value
    const [, digits, unit] = /^(\d{1,9})([mhdw])$/.exec(String(value)) ?? []
    if (typeof value !== 'string' || digits === undefined || unit === undefined) {
      throw invalidQuery('a time is neither seconds since 1970 nor a number and m, h, d or w')
    }
    return this.#now - Number(digits) * (UNITS[unit] as number)
  }
}

function sequence(value: unknown): CompiledQuery {
  const {
    from = 0,
    to = ALL.to,
    ...others
  } = (typeof value === 'object' && value !== null ? value : { to: Number.NaN }) as {
    from?: unknown
    to?: unknown
  }
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || Object.keys(others).length > 0) {
    throw invalidQuery('sequence takes whole numbers from and to')
  }
  const range = { from: from as number, to: to as number }
  return { ...range, matches: ({ seq }) => seq >= range.from && seq < range.to }
}

function all(parts: readonly CompiledQuery[]): CompiledQuery {
  return {
    from: Math.max(0, ...parts.map(({ from }) => from)),
    to: Math.min(ALL.to, ...parts.map(({ to }) => to)),
    matches: (entry) => parts.every(({ matches }) => matches(entry)),
  }
}

function any(parts: readonly CompiledQuery[]): CompiledQuery {
  return {
    from: Math.min(ALL.to, ...parts.map(({ from }) => from)),
    to: Math.max(0, ...parts.map(({ to }) => to)),
    matches: (entry) => parts.some(({ matches }) => matches(entry)),
  }
}

function textOf(name: string, value: unknown): string {
  if (typeof value !== 'string' || value.length > AUDIT_QUERY_LIMITS.text) {
    throw invalidQuery(`${name} takes a text of at most ${AUDIT_QUERY_LIMITS.text} characters`)
  }
  return value
}

export function invalidQuery(reason: string): Error {
  return trailError('AUDIT_QUERY_INVALID', `Not a query over a trail: ${reason}.`)
}
