import type { AbortOptions, ContentId } from '@vault/core'
import type { CopiedEntries } from './copy-entries.ts'
import { copyEntries, removeEntries } from './copy-entries.ts'
import type { CopiedObjects, CopySource, CopyTarget } from './copy-objects.ts'
import { copyObjects } from './copy-objects.ts'
import { diffVaults } from './difference.ts'
import { objectWindows, WindowPace } from './object-windows.ts'
import { removeObjects } from './remove-objects.ts'

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
  const pace = new WindowPace()
  let superfluous = false
  for await (const found of diffVaults(source.soup, target.soup, { ...options, tables: ['objects'] })) {
    superfluous ||= found.onlyTarget.length > 0
    const windows = objectWindows(source, found.onlySource, pace, options)
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
