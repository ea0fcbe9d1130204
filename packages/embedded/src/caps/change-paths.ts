import { type AbortOptions, type ContentId, toHex } from '@vault/core'
import { decodeEntry, entryKey, type SoupReader } from '@vault/soup'
import type { VaultChange } from '../recorder.ts'

const PATH = 'path:'

/** The paths that a change names; none where it names anything else, which is a matter of the whole vault. */
export function pathsOf(change: VaultChange): readonly (readonly string[])[] {
  const { refs = {}, entries = {}, expect = {}, hold = [], events = [] } = change
  const keys = keysOf({ entries })
  const expected = Object.keys(expect.entries ?? {})
  if (Object.keys(refs).length > 0 || !keys.every((key) => key.startsWith(PATH))) return []
  // What is held stays for good, and what is told goes into the log of the vault as it is.
  if (hold.length > 0 || events.length > 0) return []
  // What it expects tells what is there.
  if (!expected.every((key) => keys.includes(key))) return []
  return keys.map((key) => pathOf(key.slice(PATH.length)))
}

/** Whether all that it does is to bring objects under charge. */
export function onlyBrings(change: VaultChange): boolean {
  const { refs = {}, entries = {}, objects = {}, expect = {}, hold = [], events = [] } = change
  const { add = [], release = [] } = objects
  const touched = [...Object.keys(refs), ...keysOf({ entries }), ...Object.keys({ ...expect.refs, ...expect.entries })]
  return add.length > 0 && [release, touched, hold, events].every((list) => list.length === 0)
}

/**
 * Whether it gives up no objects but those that its own names had, and names none but those that it brings, or that they had: everything
 * else belongs to somebody else's paths.
 */
export async function keepsWithinNames(
  soup: Pick<SoupReader, 'entriesByKey'>,
  change: VaultChange,
  options: AbortOptions,
): Promise<boolean> {
  const { entries = {}, objects = {} } = change
  const names = new Map(keysOf(change).map((key) => [toHex(entryKey(key)), entryKey(key)]))
  const had = new Set<ContentId | undefined>()
  for (const { bytes } of await soup.entriesByKey([...names.values()], options)) had.add(decodeEntry(bytes).object)
  const brought = new Set((objects.add ?? []).map(({ id }) => id))
  return (
    (objects.release ?? []).every((id) => had.has(id)) &&
    (entries.put ?? []).every(({ object }) => object === undefined || brought.has(object) || had.has(object))
  )
}

/** A name as a path. */
export function pathOf(name: string): readonly string[] {
  return name.split('/')
}

function keysOf({ entries = {} }: Pick<VaultChange, 'entries'>): readonly string[] {
  return [...(entries.put ?? []).map(({ key }) => key), ...(entries.remove ?? [])]
}
