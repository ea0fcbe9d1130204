import { isLink, toHex } from '@vault/core'
import { toBase64 } from './base64.ts'
import type { IndexedEntry } from './trail.ts'

/** Characters that move the cursor, hide text or turn its direction, and those that end a line for some programs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/**
 * An entry as one line of JSON without the line feed, in the fields of formats/audit-log.md with `index` and `id` first. Bytes
 * and links are written as in DAG-JSON: `{"/":{"bytes":"…"}}` in base64 without padding, `{"/":"…"}`.
 */
export function toJsonLine({ index, hash, entry }: IndexedEntry): string {
  return escapeControls(JSON.stringify({ index, id: idOf(hash), ...(plain(entry) as object) }))
}

/** An entry for people, some lines without the last line feed. What an entry holds cannot move the cursor or begin a line. */
export function describeEntry({ index, hash, entry }: IndexedEntry): string {
  const { actor, action, context, time } = entry
  const who = [
    actor.name,
    ...(actor.key === undefined ? [] : [`(${actor.key})`]),
    ...(actor.proven ? [] : ['- not proven']),
  ]
  const parameters = Object.entries(action.parameters ?? {}).map(([name, value]) => `${name} ${readable(value)}`)
  const why = [context?.motivation, context?.relates_to?.map((related) => `#${related}`).join(', ')]
  const lines: [string, string | undefined][] = [
    ['ID', idOf(hash)],
    ['Time', timeOf(time)],
    ['Who', who.join(' ')],
    ['Action', `${action.verb} ${action.object}`],
    ['With', parameters.join(', ')],
    ['Why', context === undefined ? undefined : why.filter((part) => part !== undefined && part !== '').join(', see ')],
  ]
  const shown = lines.flatMap(([name, value]) => (value ? [`  ${name.padEnd(8)}${escapeControls(value)}`] : []))
  return [`Entry #${index}`, ...shown].join('\n')
}

function idOf(hash: Uint8Array): string {
  return `sha256:${toHex(hash)}`
}

/** As `2026-11-23 12:00:00Z`; the seconds themselves where no calendar reaches. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString().replace('T', ' ').replace('.000Z', 'Z')
}

/** A DAG-CBOR value as JSON can carry it. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { '/': { bytes: toBase64(value).replaceAll('=', '') } }
  if (isLink(value)) return { '/': value.id }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]))
}

/** A DAG-CBOR value for people: texts in quotation marks, bytes by their number, and nothing longer than a line or two. */
function readable(value: unknown): string {
  const text = readableWhole(value)
  return text.length <= MAX_READABLE ? text : `${text.slice(0, MAX_READABLE)}…`
}

function readableWhole(value: unknown): string {
  if (value instanceof Uint8Array) return `<${value.length} bytes>`
  if (isLink(value)) return value.id
  if (Array.isArray(value)) return `[${value.map(readableWhole).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([name, each]) => `${name} ${readableWhole(each)}`)
    .join(', ')}}`
}

const MAX_READABLE = 240

function escapeControls(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  })
}
