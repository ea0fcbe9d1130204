import type { BulkCas, CasReader } from '@vault/cas'
import { type AbortOptions, type ContentId, VaultError } from '@vault/core'
import { type Change, decodeEntry, type Entry, entryKey, type SoupReader } from '@vault/soup'
import { type ImportedCar, importCar } from '@vault/transfer'
import type { Reason } from './act.ts'
import { entriesOf, type NamedRoot, namedRoots } from './car-root.ts'
import { type Commit, namingChange } from './name-changes.ts'
import type { VaultErrorCode } from './vault-error.ts'

/** The parts of a vault that reading a CAR needs. */
export interface ImportParts {
  readonly objects: BulkCas & Pick<CasReader, 'get'>
  readonly soup: SoupReader
  readonly commit: Commit
}

export interface ImportOptions extends AbortOptions, Reason {
  /** Of the folder or the file that the CAR is; for several roots, of the folder in which each is named by its id. */
  readonly name?: string
  /** What was asked for, and must be there whole. Default: the roots that the CAR itself states. */
  readonly roots?: readonly ContentId[]
  /** Takes names that stand for something else now. */
  readonly replace?: boolean
}

/** What importing a CAR reports as it goes. */
export type ImportEvent =
  /** So much is durable, and nothing of it under charge. */
  | { readonly type: 'stored'; readonly blocks: number; readonly bytes: number }
  /** Everything is under charge, and named. The last event. */
  | {
      readonly type: 'imported'
      readonly roots: readonly NamedRoot[]
      readonly files: number
      readonly objects: number
      readonly added: number
      readonly bytes: number
      /** Blocks of the CAR that no root leads to: they are not under charge. */
      readonly unreachable: number
    }

type Naming = Pick<Change, 'entries' | 'objects' | 'expect'>

/**
 * Brings a CAR under charge and names what it holds: nothing before every block was hashed and is durable, everything that
 * the roots lead to is there, and every name was found sound and free. Up to 16,384 objects and 4,096 names that is one
 * change. Larger ones take several, objects before what links to them and names last: a process that dies between them
 * leaves the rest to the same import, run again.
 *
 * Throws `VAULT_NAME_TAKEN`, `VAULT_NAME_INVALID`, and what `importCar` of `@vault/transfer` throws.
 */
export async function* importNamed(
  parts: ImportParts,
  chunks: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): AsyncGenerator<ImportEvent> {
  const { objects, soup, commit } = parts
  const { name, roots: wanted, replace = false, signal } = options
  let car: ImportedCar | undefined
  for await (const step of importCar(chunks, { objects }, { signal, ...(wanted && { roots: wanted }) })) {
    if (step.type === 'stored') yield step
    else car = step.car
  }
  if (car === undefined) throw new Error('The import ended without its last step.')
  const { segments } = car
  const roots = await namedRoots({ objects, car }, name, { signal })
  const pages = () => allEntries({ objects, car: car as ImportedCar }, roots, { signal })
  let files = 0
  for await (const page of pages()) {
    files += page.length
    if (!replace) await freeNaming(soup, page, { signal })
  }
  let added = 0
  let last: Change['objects'] = {}
  for (const add of car.changes()) {
    if (last.add) added += await commit({ expect: { segments }, objects: last })
    last = { add }
  }
  for await (const page of pages()) {
    const naming: Naming = replace
      ? await namingChange(soup, page, commit, { signal })
      : await freeNaming(soup, page, { signal })
    added += await commit({
      ...naming,
      expect: { ...naming.expect, segments },
      objects: { ...naming.objects, ...last },
    })
    last = {}
  }
  if (last.add) added += await commit({ expect: { segments }, objects: last })
  const { objects: count, bytes, unreachable } = car
  yield { type: 'imported', roots, files, objects: count, added, bytes, unreachable }
}

async function* allEntries(
  parts: Parameters<typeof entriesOf>[0],
  roots: readonly NamedRoot[],
  options: AbortOptions,
): AsyncGenerator<readonly Entry[]> {
  for (const root of roots) yield* entriesOf(parts, root, options)
}

/** The change that gives these names, which must be free or stand for the same. Throws `VAULT_NAME_TAKEN`. */
async function freeNaming(soup: SoupReader, put: readonly Entry[], options: AbortOptions): Promise<Naming> {
  const rows = await soup.entriesByKey(
    put.map(({ key }) => entryKey(key)),
    options,
  )
  const stored = new Map(rows.map(({ bytes }) => decodeEntry(bytes)).map((entry) => [entry.key, entry]))
  const entries: Record<string, null> = {}
  for (const entry of put) {
    const there = stored.get(entry.key)
    if (there === undefined) entries[entry.key] = null
    else if (there.object !== entry.object || there.fields.mode !== entry.fields.mode) throw taken(entry.key)
  }
  const refuse: Commit = async ({ entries }) => {
    throw taken(entries?.remove?.[0] ?? '')
  }
  const naming = await namingChange(soup, put, refuse, options)
  const inTheWay = naming.entries?.remove?.[0]
  if (inTheWay !== undefined) throw taken(inTheWay)
  return { ...naming, expect: { entries } }
}

function taken(key: string): VaultError<VaultErrorCode> {
  const name = key.slice('path:'.length)
  return new VaultError({
    code: 'VAULT_NAME_TAKEN',
    message: `${JSON.stringify(name)} is in the vault already, and is something else. Import under another name, or replace what is there. Nothing was changed.`,
    details: { name },
  })
}
