import { equalBytes } from '@vault/core'
import type { Entry } from './entry.ts'
import type { FieldMap, FieldValue } from './field-value.ts'
import { isFieldMap, member } from './field-value.ts'
import { orderKey } from './order-key.ts'

/**
 * Why an entry breaks the contract `snapshot`, or `undefined` where it keeps it (R050–R053): the numbers under
 * `fields.stats` are counters, which never go down and never vanish; `fields.stats.snapshots` is a list of
 * `[date, counters]` to which one may only append. Texts and truth values may change.
 */
export function countersFault(before: Entry | undefined, after: Entry): string | undefined {
  const stats = member(after.fields, 'stats')
  const old = before === undefined ? undefined : member(before.fields, 'stats')
  return (
    counterFault(withoutSnapshots(old), withoutSnapshots(stats), 'stats') ??
    snapshotsFault(snapshots(old), snapshots(stats))
  )
}

/** Every number of `before` is in `after` and no smaller, and every number of `after` is a count. */
function counterFault(before: FieldValue | undefined, after: FieldValue | undefined, path: string): string | undefined {
  if (typeof after === 'number') {
    if (!Number.isSafeInteger(after) || after < 0) return `the counter ${path} is no count`
    return typeof before === 'number' && after < before ? `the counter ${path} goes down` : undefined
  }
  if (typeof before === 'number') return `the counter ${path} vanishes`
  const [old, now] = [members(before), members(after)]
  for (const name of new Set([...old.keys(), ...now.keys()])) {
    const fault = counterFault(old.get(name), now.get(name), `${path}.${name}`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function snapshotsFault(before: FieldValue | undefined, after: FieldValue | undefined): string | undefined {
  if (after === undefined && before === undefined) return undefined
  if (!Array.isArray(after)) return 'stats.snapshots is no list'
  const old = Array.isArray(before) ? (before as readonly FieldValue[]) : []
  const list = after as readonly FieldValue[]
  const kept = old.every((item, i) => i < list.length && equalBytes(orderKey(item), orderKey(list[i])))
  if (!kept) return 'a snapshot in stats.snapshots changes or vanishes'
  return list.slice(old.length).every(isSnapshot) ? undefined : 'a snapshot in stats.snapshots is not [date, counters]'
}

function isSnapshot(item: FieldValue): boolean {
  if (!Array.isArray(item) || item.length !== 2) return false
  const [date, counters] = item as readonly FieldValue[]
  return (
    typeof date === 'string' &&
    date !== '' &&
    isFieldMap(counters) &&
    counterFault(undefined, counters, '') === undefined
  )
}

function snapshots(stats: FieldValue | undefined): FieldValue | undefined {
  return isFieldMap(stats) ? member(stats, 'snapshots') : undefined
}

function withoutSnapshots(stats: FieldValue | undefined): FieldValue | undefined {
  if (!isFieldMap(stats)) return stats
  const { snapshots: _, ...counters } = stats as FieldMap
  return counters
}

/** The parts of a list or map by name or place; nothing else has parts. */
function members(value: FieldValue | undefined): ReadonlyMap<string, FieldValue> {
  const nested = isFieldMap(value) || Array.isArray(value)
  return new Map(nested ? Object.entries(value as FieldMap) : [])
}
