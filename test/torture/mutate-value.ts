import { contentId, isLink, link } from '@vault/core'
import { mutate } from './mutate.ts'
import type { SeededNumbers } from './seeded-numbers.ts'

const nested = (depth: number): unknown => (depth === 0 ? null : [nested(depth - 1)])

/** What no reader waits for. */
const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  0.5,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  '',
  '\u0000',
  '__proto__',
  '../../etc/passwd',
  '\u{1f4a9}'.repeat(300),
  'x'.repeat(5_000),
  'f'.repeat(32),
  '0'.repeat(64),
  new Uint8Array(),
  new Uint8Array(32),
  new Uint8Array(70_000),
  [],
  Array.from({ length: 70_000 }, () => 0),
  {},
  Object.fromEntries([['__proto__', 1]]),
  nested(40),
  link(contentId(new Uint8Array(3))),
  contentId(new Uint8Array(4)),
]

/** A value with one or two changes of its fields, some of them taken from `others`. */
export function mutateValue(value: unknown, others: readonly unknown[], numbers: SeededNumbers): unknown {
  const once = change(value, others, numbers)
  return numbers.below(3) === 0 ? change(once, others, numbers) : once
}

function change(value: unknown, others: readonly unknown[], numbers: SeededNumbers): unknown {
  const { below } = numbers
  if (Array.isArray(value) && value.length > 0 && below(5) > 0) {
    const at = below(value.length)
    if (below(5) === 0) return [...value, value[at]]
    return value.flatMap((each, i) => (i === at ? (below(6) === 0 ? [] : [change(each, others, numbers)]) : [each]))
  }
  if (isMap(value) && below(5) > 0) {
    const names = Object.keys(value)
    const name = names[below(names.length)] ?? 'new'
    if (below(8) === 0) return { ...value, [`${name}x`]: value[name] }
    const rest = Object.entries(value).filter(([each]) => each !== name)
    return Object.fromEntries(below(8) === 0 ? rest : [...rest, [name, change(value[name], others, numbers)]])
  }
  if (below(2) === 0) return near(value, numbers)
  return below(4) === 0 ? others[below(others.length)] : ODD[below(ODD.length)]
}

/** Almost the same. */
function near(value: unknown, numbers: SeededNumbers): unknown {
  const { below } = numbers
  if (typeof value === 'number') return Math.max(-(2 ** 52), Math.min(2 ** 52, Math.trunc(value) + below(3) - 1))
  if (value instanceof Uint8Array) return mutate(value, numbers)
  if (typeof value !== 'string' || value === '') return value
  const at = below(value.length)
  return (value.slice(0, at) + 'abcdef234567/. '[below(15)] + value.slice(at + below(2))).toWellFormed()
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && !isLink(value)
}
