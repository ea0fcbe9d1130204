import type { Tag } from '@vault/spki-caps'

/** Whether a tag grants something that has no smaller part, by the definition of each form. No meet, no cover. */
export function matches(tag: Tag, asked: Tag): boolean {
  if (tag === '*') return true
  if (typeof tag === 'string') return tag === asked
  if (Array.isArray(tag)) {
    return (
      Array.isArray(asked) &&
      asked.length >= tag.length &&
      tag[0] === asked[0] &&
      tag.slice(1).every((item: Tag, i: number) => matches(item, asked[i + 1] as Tag))
    )
  }
  if ('set' in tag) return tag.set.some((member) => matches(member, asked))
  if ('path' in tag || typeof asked !== 'string') return false
  if ('prefix' in tag)
    return Buffer.from(asked).subarray(0, Buffer.from(tag.prefix).length).equals(Buffer.from(tag.prefix))
  if ('all' in tag) return tag.all.every((rule) => matches(rule, asked))
  if (!('range' in tag)) return false
  const { order, ge, gt, le, lt } = tag.range
  const value = { alpha: (word: string) => word, numeric: number, time }[order]
  const order3 = (a: string, b: string) => {
    if (order === 'alpha') return Buffer.compare(Buffer.from(a), Buffer.from(b))
    return (value(a) as number) - (value(b) as number)
  }
  if (Number.isNaN(value(asked))) return false
  return (
    (ge === undefined || order3(asked, ge) >= 0) &&
    (gt === undefined || order3(asked, gt) > 0) &&
    (le === undefined || order3(asked, le) <= 0) &&
    (lt === undefined || order3(asked, lt) < 0)
  )
}

function number(word: string): number {
  return String(Number.parseInt(word, 10)) === word ? Number.parseInt(word, 10) : Number.NaN
}

function time(word: string): number {
  return /^\d{4}-.*Z$/.test(word) ? Date.parse(word) : Number.NaN
}
