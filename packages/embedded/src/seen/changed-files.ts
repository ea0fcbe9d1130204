import type { BulkCas } from '@vault/cas'
import { type AbortOptions, equalBytes, toHex } from '@vault/core'
import { encodeEntry, entryKey, type SoupReader } from '@vault/soup'
import { sourceEntry } from '../path-entry.ts'
import { isSkipped, type SkippedFile, type SourceFile } from '../source-file.ts'
import type { PutFile } from '../store-batches.ts'
import type { SeenFiles } from './seen-files.ts'

interface Parts {
  readonly seen: SeenFiles
  readonly soup: SoupReader
  readonly objects: Pick<BulkCas, 'hasMany'>
}

/** Files looked up together. */
const WINDOW = 256

/**
 * Passes on what has to be read. The others are given to `unchanged`: on disk they look as they did when they were put, the vault names the
 * very object by that name, and the store holds it as far as its index tells.
 */
export async function* changedFiles(
  found: AsyncIterable<SourceFile | SkippedFile>,
  parts: Parts,
  unchanged: (file: PutFile) => void,
  options: AbortOptions,
): AsyncGenerator<SourceFile | SkippedFile> {
  let window: (SourceFile | SkippedFile)[] = []
  for await (const one of found) {
    window.push(one)
    if (window.length < WINDOW) continue
    yield* changedAmong(window, parts, unchanged, options)
    window = []
  }
  yield* changedAmong(window, parts, unchanged, options)
}

async function* changedAmong(
  window: readonly (SourceFile | SkippedFile)[],
  { seen, soup, objects }: Parts,
  unchanged: (file: PutFile) => void,
  options: AbortOptions,
): AsyncGenerator<SourceFile | SkippedFile> {
  const same = new Set<SourceFile | SkippedFile>()
  const alike = window.flatMap((file) => {
    const before = isSkipped(file) ? undefined : seen.find(file)
    if (isSkipped(file) || before === undefined) return []
    const entry = sourceEntry(file, before.object, file.stats.size)
    return [{ file, seen: before, key: entryKey(entry.key), bytes: encodeEntry(entry) }]
  })
  if (alike.length > 0) {
    const stored = await soup.entriesByKey(
      alike.map(({ key }) => key),
      options,
    )
    const named = new Map(stored.map(({ key, bytes }) => [toHex(key), bytes]))
    const held = await objects.hasMany(
      alike.map(({ seen: { object } }) => object),
      options,
    )
    for (const [i, { file, seen: before, key, bytes }] of alike.entries()) {
      const known = named.get(toHex(key))
      if (!held[i] || known === undefined || !equalBytes(known, bytes)) continue
      unchanged({ file, seen: before })
      same.add(file)
    }
  }
  for (const file of window) if (!same.has(file)) yield file
}
