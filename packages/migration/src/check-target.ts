import type { BulkCasReader } from '@vault/cas'
import { lendMany, reopen } from '@vault/cas'
import type { AbortOptions, Bytes, ContentId, Finding } from '@vault/core'
import { equalBytes, matchesId, toHex } from '@vault/core'
import type { SoupReader } from '@vault/soup'
import { decodeEntry, entryValue } from '@vault/soup'
import type { Roots, Statement } from '@vault/transfer'
import { diffVaults, previousOf, statementOf } from '@vault/transfer'
import type { MigrationFindingCode } from './error.ts'
import type { Verification } from './plan.ts'
import type { CheckStep } from './report.ts'
import type { TableRow } from './sample.ts'
import { entriesToCheck, objectsToCheck } from './sample.ts'

/** What is checked, and against what. */
export interface Comparison {
  readonly source: SoupReader
  readonly target: { readonly objects: BulkCasReader; readonly soup: SoupReader }
  /** What the target must be. */
  readonly expected: Statement
  readonly verification: Verification
  /** How objects are checked. Default: they are read back. */
  readonly content?: { check(ids: readonly ContentId[], options: AbortOptions): AsyncIterable<CheckStep> }
}

/** Everything that verification finds: roots and completeness, then content, then entries. */
export async function* checkTarget(comparison: Comparison, options: AbortOptions): AsyncGenerator<CheckStep> {
  const { source, target, expected, verification, content } = comparison
  const reached = await statementOf(target.soup, options)
  yield* checkRoots(source, target.soup, { reached: reached.roots, expected: expected.roots }, options)
  const { objects, entries } = reached.counts
  let listed = 0
  for await (const ids of objectsToCheck(target.soup, objects, verification, options)) {
    listed += ids.length
    yield* content === undefined ? checkObjects(target.objects, ids, options) : content.check(ids, options)
  }
  const due = verification.mode === 'full' ? objects : Math.min(objects, verification.size)
  if (listed !== due) {
    const message = `Merkle verification failed: the target lists ${listed} of ${due} objects under its root.`
    yield finding('MIGRATION_ROOT_MISMATCH', message, 'objects')
  }
  for await (const rows of entriesToCheck(target.soup, entries, verification, options)) {
    yield* checkEntries(source, target.soup, rows, options)
  }
}

/** Compares roots; where they differ, names what does, on both sides (M074, M077, M081). */
async function* checkRoots(
  source: SoupReader,
  target: SoupReader,
  { reached, expected }: { readonly reached: Roots; readonly expected: Roots },
  options: AbortOptions,
): AsyncGenerator<CheckStep> {
  const differ = { objects: reached.objects !== expected.objects, entries: reached.soup !== expected.soup }
  for (const table of ['objects', 'entries'] as const) {
    if (!differ[table]) continue
    let first: Bytes | undefined
    for await (const window of diffVaults(source, target, { ...options, tables: [table] })) {
      first ??= [window.onlySource[0], window.onlyTarget[0], window.differing[0]].find((key) => key !== undefined)
      if (table === 'objects') yield* nameObjects(source, target, window, options)
      else yield* nameEntries(source, target, window, options)
    }
    const name = table === 'objects' ? 'objects' : 'soup'
    const where = first === undefined ? 'both are equal by now' : `they diverge at ${toHex(first)}`
    yield finding(
      'MIGRATION_ROOT_MISMATCH',
      `Merkle verification failed: the ${name} root of the target is ${reached[name]}, not ${expected[name]}; ${where}.`,
      first === undefined ? name : toHex(first),
    )
  }
}

interface TwoSides {
  readonly onlySource: readonly Bytes[]
  readonly onlyTarget: readonly Bytes[]
  readonly differing: readonly Bytes[]
}

async function* nameObjects(
  source: SoupReader,
  target: SoupReader,
  window: TwoSides,
  options: AbortOptions,
): AsyncGenerator<CheckStep> {
  for (const { id } of await source.membersByKey(window.onlySource, options)) {
    yield finding('MIGRATION_OBJECT_MISSING', `Missing objects after migration: ${id} is not at the target.`, id)
  }
  for (const { id } of await target.membersByKey(window.onlyTarget, options)) {
    yield finding('MIGRATION_OBJECT_SUPERFLUOUS', `The target has ${id}, which the source does not have.`, id)
  }
}

async function* nameEntries(
  source: SoupReader,
  target: SoupReader,
  window: TwoSides,
  options: AbortOptions,
): AsyncGenerator<CheckStep> {
  const sides = [
    { soup: source, keys: window.onlySource, what: 'is not at the target' },
    { soup: source, keys: window.differing, what: 'has another value at the target' },
    { soup: target, keys: window.onlyTarget, what: 'is at the target and not at the source' },
  ]
  for (const { soup, keys, what } of sides) {
    for (const { bytes } of await soup.entriesByKey(keys, options)) yield soupMismatch(decodeEntry(bytes).key, what)
  }
}

/**
 * Reads objects back through the target's own store and hashes them here, so that a store that only says yes is found
 * out (M076).
 */
export async function* checkObjects(
  objects: BulkCasReader,
  ids: readonly ContentId[],
  options: AbortOptions,
): AsyncGenerator<CheckStep> {
  if (ids.length === 0) return
  const unproven = new Set(ids)
  let bytes = 0
  await reopen(objects, options)
  for await (const { blocks, release } of lendMany(objects, [ids], options)) {
    for (const block of blocks) {
      if (!unproven.has(block.id) || !matchesId(block.id, block.bytes)) continue
      unproven.delete(block.id)
      bytes += block.bytes.length
    }
    release()
  }
  for (const id of unproven) {
    const message = `Content mismatch: the target does not give back the bytes of ${id}.`
    yield finding('MIGRATION_CONTENT_MISMATCH', message, id)
  }
  yield { type: 'checked', objects: new Set(ids).size, bytes, entries: 0 }
}

/** Reads entries back and holds them against the table under the root; earlier versions by their ids. */
async function* checkEntries(
  source: SoupReader,
  target: SoupReader,
  rows: readonly TableRow[],
  options: AbortOptions,
): AsyncGenerator<CheckStep> {
  const stored = await target.entriesByKey(keysOf(rows), options)
  const byKey = new Map(stored.map((entry) => [toHex(entry.key), entry.bytes]))
  for (const { key, value } of rows) {
    const bytes = byKey.get(toHex(key))
    if (bytes === undefined || value === undefined || !equalBytes(entryValue(bytes), value)) {
      const name = bytes === undefined ? toHex(key) : decodeEntry(bytes).key
      yield soupMismatch(name, 'does not read back from the target as its root says')
      continue
    }
    const broken = await brokenVersion(source, target, previousOf(bytes), options)
    if (broken !== undefined) yield soupMismatch(decodeEntry(bytes).key, `has lost its version ${broken} at the target`)
  }
  yield { type: 'checked', objects: 0, bytes: 0, entries: rows.length }
}

/** The first version, from the newest on, that the source has and the target does not give back. */
async function brokenVersion(
  source: SoupReader,
  target: SoupReader,
  newest: ContentId | undefined,
  options: AbortOptions,
): Promise<ContentId | undefined> {
  for (let id = newest; id !== undefined; ) {
    const bytes: Bytes | undefined = await target.version(id, options)
    if (bytes === undefined) return (await source.version(id, options)) === undefined ? undefined : id
    if (!matchesId(id, bytes)) return id
    id = previousOf(bytes)
  }
  return undefined
}

function keysOf(rows: readonly TableRow[]): readonly Bytes[] {
  return rows.map(({ key }) => key)
}

/** "Soup mismatch" (M077). */
export function soupMismatch(key: string, what: string): CheckStep {
  return finding('MIGRATION_SOUP_MISMATCH', `Soup mismatch: ${JSON.stringify(key)} ${what}.`, key)
}

/** A finding as a step. */
export function finding(code: MigrationFindingCode, message: string, subject: string): CheckStep {
  const found: Finding = { code, message, subject }
  return { type: 'finding', finding: found }
}
