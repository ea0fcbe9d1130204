import type { Condition, FieldValue } from '@vault/soup'
import { UsageError } from './exit-code.ts'

const COMPARISON = /^\s*([A-Za-z_][\w.-]*)\s*(!=|<=|>=|=|<|>|~)\s*(.*?)\s*$/s

/** `size>=1000`, `type=path`, `key~path:*.jpg` (`~` is like, with `*` and `?`), `tags` (exists), `!tags` (missing). */
export function parseCondition(text: string): Condition {
  const presence = /^\s*(!?)\s*([A-Za-z_][\w.-]*)\s*$/.exec(text)
  if (presence) return { op: presence[1] === '!' ? 'missing' : 'exists', field: presence[2] as string }
  const [, field, op, value] = COMPARISON.exec(text) ?? []
  if (field === undefined || op === undefined || value === undefined) {
    throw new UsageError(
      `${JSON.stringify(text)} is no condition. Write FIELD=VALUE, !=, <, <=, >, >=, FIELD~PATTERN, FIELD or !FIELD.`,
    )
  }
  if (op === '~') return { op: 'like', field, pattern: value }
  return { op: op as '=', field, value: parseValue(value) }
}

/** Numbers, `true`, `false`, `null` and quoted text as in JSON; anything else is text as it stands. */
function parseValue(text: string): FieldValue {
  try {
    const value: unknown = JSON.parse(text)
    if (value === null || ['number', 'boolean', 'string'].includes(typeof value)) return value as FieldValue
  } catch {
    // Not JSON: plain text.
  }
  return text
}
