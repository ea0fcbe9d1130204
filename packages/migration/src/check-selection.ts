import type { AbortOptions } from '@vault/core'
import { equalBytes, toHex } from '@vault/core'
import type { KeyedEntry, SoupReader } from '@vault/soup'
import { closureOf } from '@vault/transfer'
import { checkObjects, finding, soupMismatch } from './check-target.ts'
import type { Held } from './endpoint.ts'
import type { CheckStep } from './report.ts'
import type { Selection } from './selection.ts'
import { nameOf } from './selection.ts'

/** Whether a target has all of a selection: its entries, and its objects with all that they link to, read back. */
export async function* checkSelection(
  source: SoupReader,
  target: Pick<Held, 'objects' | 'soup'>,
  selection: Selection,
  options: AbortOptions,
): AsyncGenerator<CheckStep> {
  for await (const { entries, objects } of selection(options)) {
    for await (const ids of closureOf(source, objects, options)) {
      const charged = await target.soup.charged(ids, options)
      for (const id of ids.filter((_, i) => !charged[i])) {
        yield finding('MIGRATION_OBJECT_MISSING', `Missing objects after migration: ${id} is not at the target.`, id)
      }
      yield* checkObjects(target.objects, ids, options)
    }
    yield* checkSelectedEntries(target.soup, entries, options)
  }
}

async function* checkSelectedEntries(
  target: SoupReader,
  entries: readonly KeyedEntry[],
  options: AbortOptions,
): AsyncGenerator<CheckStep> {
  const keys = entries.map(({ key }) => key)
  const stored = new Map((await target.entriesByKey(keys, options)).map(({ key, bytes }) => [toHex(key), bytes]))
  for (const entry of entries) {
    const bytes = stored.get(toHex(entry.key))
    if (bytes === undefined) yield soupMismatch(nameOf(entry), 'is not at the target')
    else if (!equalBytes(bytes, entry.bytes)) yield soupMismatch(nameOf(entry), 'has another value at the target')
  }
  yield { type: 'checked', objects: 0, bytes: 0, entries: entries.length }
}
