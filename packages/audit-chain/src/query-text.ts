import type { AuditQuery } from './query.ts'
import { AUDIT_QUERY_LIMITS, invalidQuery } from './query.ts'

const TOKEN = /\s*(?:([()])|(and|or|not)(?=[\s()]|$)|([a-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s()"]+))/y

type Token =
  | { readonly kind: 'sign' | 'word'; readonly text: string }
  | { readonly kind: 'term'; readonly query: AuditQuery }

/**
 * The query that a text stands for, as `verb=put and object=path:photos/* and not since=7d`: criteria `verb`, `object`, `since`,
 * `before` and `sequence` (`12`, `12..40`, `12..`, `..40`, the end included), joined by `and`, `or`, `not` and parentheses; `and` binds
 * closer than `or`. A value with spaces or parentheses is in quotes, as in JSON. Times are `30m`, `1h`, `7d`, `2w`, or a date
 * as `2026-11-23` or `2026-11-23T12:00:00Z`. Throws `AUDIT_QUERY_INVALID`, and nothing else.
 */
export function parseAuditQuery(text: string): AuditQuery {
  if (text.length > AUDIT_QUERY_LIMITS.text)
    throw invalidQuery(`it has more than ${AUDIT_QUERY_LIMITS.text} characters`)
  if (text.trim() === '') return { and: [] }
  return new Parser(tokensOf(text)).parse()
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  let at = 0
  while (at < end) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (match === null) throw invalidQuery(`it cannot be read from ${JSON.stringify(text.slice(at, at + 40))} on`)
    const [, sign, word, name, value] = match
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else tokens.push({ kind: 'term', query: criterion(name as string, textValue(value as string)) })
    at = TOKEN.lastIndex
  }
  return tokens
}

function textValue(text: string): string {
  if (!text.startsWith('"')) return text
  try {
    return String(JSON.parse(text))
  } catch {
    throw invalidQuery(`${text.slice(0, 80)} is not quoted as in JSON`)
  }
}

function criterion(name: string, value: string): AuditQuery {
  switch (name) {
    case 'verb':
      return { verb: value }
    case 'object':
      return { object: value }
    case 'since':
      return { since: timeOf(value) }
    case 'before':
      return { before: timeOf(value) }
    case 'sequence':
      return { sequence: rangeOf(value) }
    default:
      throw invalidQuery(`there is no criterion ${name}; there are verb, object, since, before and sequence`)
  }
}

function timeOf(text: string): number | string {
  if (/^\d{1,9}[mhdw]$/.test(text)) return text
  const date = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(date))
    throw invalidQuery(`${text.slice(0, 40)} is no time: write 7d, 2026-11-23 or 2026-11-23T12:00:00Z`)
  return date / 1000
}

function rangeOf(text: string): { from?: number; to?: number } {
  const [, first, dots, last] = /^(\d{1,15})?(\.\.)?(\d{1,15})?$/.exec(text) ?? []
  if ((first === undefined && last === undefined) || (dots === undefined && last !== undefined)) {
    throw invalidQuery(`${text.slice(0, 40)} is no range of indexes: write 12, 12..40, 12.. or ..40`)
  }
  const end = dots === undefined ? first : last
  return {
    ...(first === undefined ? {} : { from: Number(first) }),
    ...(end === undefined ? {} : { to: Number(end) + 1 }),
  }
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  parse(): AuditQuery {
    const query = this.#or(0)
    if (this.#at < this.#tokens.length) throw invalidQuery('something follows that no "and" or "or" joins to it')
    return query
  }

  #or(depth: number): AuditQuery {
    const parts = [this.#and(depth)]
    while (this.#take('word', 'or')) parts.push(this.#and(depth))
    return parts.length === 1 ? (parts[0] as AuditQuery) : { or: parts }
  }

  #and(depth: number): AuditQuery {
    const parts = [this.#one(depth)]
    while (this.#take('word', 'and')) parts.push(this.#one(depth))
    return parts.length === 1 ? (parts[0] as AuditQuery) : { and: parts }
  }

  #one(depth: number): AuditQuery {
    if (depth > AUDIT_QUERY_LIMITS.depth) throw invalidQuery(`it nests deeper than ${AUDIT_QUERY_LIMITS.depth}`)
    if (this.#take('word', 'not')) return { not: this.#one(depth + 1) }
    if (this.#take('sign', '(')) {
      const query = this.#or(depth + 1)
      if (!this.#take('sign', ')')) throw invalidQuery('a parenthesis is not closed')
      return query
    }
    const token = this.#tokens[this.#at++]
    if (token?.kind !== 'term') throw invalidQuery('a criterion is missing, such as verb=put')
    return token.query
  }

  #take(kind: 'sign' | 'word', text: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== kind || token.text !== text) return false
    this.#at++
    return true
  }
}
