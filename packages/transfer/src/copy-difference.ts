import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import type { CopiedEntries } from './copy-entries.ts'
import { copyEntries, removeEntries } from './copy-entries.ts'
import type { CopiedObjects, CopySource, CopyTarget } from './copy-objects.ts'
import { copyObjects } from './copy-objects.ts'
import { diffVaults } from './difference.ts'

/** A step of making a target equal, durable when it is yielded. */
export type DifferenceStep =
  | ({ readonly type: 'objects' } & CopiedObjects)
  | ({ readonly type: 'entries' } & CopiedEntries)
  | { readonly type: 'entries-removed'; readonly keys: readonly string[] }
  | { readonly type: 'objects-removed'; readonly ids: readonly ContentId[] }

export interface CopyOptions extends AbortOptions {
  /** Stated with every change at the target. */
  readonly migration: string
  /** Differences to look for at a time. Default 65,536. */
  readonly window?: number
}

// A window of objects is what a crash repeats, and its members are in memory.
const WINDOW_BYTES = 64 * 1024 * 1024
const WINDOW_LINKS = 262_144
const PAGE = 16_384

/**
 * Makes the target what the source is: one pass over all differences. Nothing is taken away before what replaces it
 * is there. Where the source changes meanwhile, differences remain for the next pass: compare statements. Leaving the
 * loop keeps everything that was yielded.
 */
export async function* copyDifference(
  source: CopySource,
  target: CopyTarget,
  options: CopyOptions,
): AsyncGenerator<DifferenceStep> {
  let superfluous = false
  for await (const found of diffVaults(source.soup, target.soup, { ...options, tables: ['objects'] })) {
    superfluous ||= found.onlyTarget.length > 0
    const windows = objectWindows(source, found.onlySource, options)
    for await (const copied of copyObjects(source, target, windows, options)) yield { type: 'objects', ...copied }
  }
  for await (const found of diffVaults(source.soup, target.soup, { ...options, tables: ['entries'] })) {
    const { onlySource, differing, onlyTarget } = found
    for (const keys of [onlySource, differing]) {
      for await (const copied of copyEntries(source.soup, target, keys, options)) yield { type: 'entries', ...copied }
    }
    for await (const keys of removeEntries(target, onlyTarget, options)) yield { type: 'entries-removed', keys }
  }
  if (!superfluous) return
  for await (const found of diffVaults(source.soup, target.soup, { ...options, tables: ['objects'] })) {
    for await (const ids of removeObjects(target, found.onlyTarget, options)) yield { type: 'objects-removed', ids }
  }
}

/** The ids of the members with these keys, in windows that are bounded in memory. */
async function* objectWindows(
  source: CopySource,
  keys: readonly Bytes[],
  { signal }: AbortOptions,
): AsyncGenerator<readonly ContentId[]> {
  let window: ContentId[] = []
  let bytes = 0
  let linked = 0
  for (let from = 0; from < keys.length; from += PAGE) {
    for (const { id, size, links } of await source.soup.membersByKey(keys.slice(from, from + PAGE), { signal })) {
      if (window.length > 0 && (bytes + size > WINDOW_BYTES || linked + links.length > WINDOW_LINKS)) {
        yield window
        window = []
        bytes = 0
        linked = 0
      }
      window.push(id)
      bytes += size
      linked += links.length
    }
  }
  if (window.length > 0) yield window
}

async function* removeObjects(
  target: CopyTarget,
  keys: readonly Bytes[],
  { migration, signal }: CopyOptions,
): AsyncGenerator<readonly ContentId[]> {
  for (let from = 0; from < keys.length; from += PAGE) {
    const members = await target.soup.membersByKey(keys.slice(from, from + PAGE), { signal })
    const remove = members.map(({ id }) => id)
    await target.intake.receive({ migration, objects: { remove } }, { signal })
    yield remove
  }
}
