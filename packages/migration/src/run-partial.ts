import type { AbortOptions, ContentId } from '@vault/core'
import { equalBytes, toHex, VaultError } from '@vault/core'
import type { KeyedEntry, SoupReader } from '@vault/soup'
import { decodeEntry, versionId } from '@vault/soup'
import { closureOf, copyEntries, copyObjects } from '@vault/transfer'
import { checkSelection } from './check-selection.ts'
import type { ScreeningTarget, Source, Target } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'
import type { MigrationEvent } from './event.ts'
import { FindingList } from './finding-list.ts'
import { Ledger } from './progress.ts'
import { Tally } from './report.ts'
import type { Run } from './run.ts'
import { complete, noted, sourceDamaged } from './run.ts'
import type { SelectedPage, Selection } from './selection.ts'
import { nameOf } from './selection.ts'
import { sourceStatement } from './source-statement.ts'

/** Moves a selection into another active vault (M014): nothing is removed there, and nothing there is overwritten. */
export async function* runPartial(
  migration: string,
  { source, target }: { readonly source: Source; readonly target: Target },
  selection: Selection,
  options: AbortOptions,
): AsyncGenerator<MigrationEvent> {
  yield { type: 'phase', phase: 'snapshot' }
  const statement = await sourceStatement(source, options)
  yield { type: 'statement', statement }
  const held = await target.look(source.vault, options)
  await requireNoConflict(source.soup, { soup: held.soup, target }, selection, options)
  const offer = { vault: source.vault, keyEvents: await source.keyEvents(options), migration }
  const receiving = await target.receive(offer, options)
  const ledger = new Ledger({ objects: 0, bytes: 0 })
  ledger.beginRound()
  const run = { migration, source, target, receiving, ledger, tally: new Tally(), options }

  yield { type: 'phase', phase: 'transfer' }
  for await (const page of selection(options)) yield* copyPage(run, page)

  yield { type: 'phase', phase: 'verify' }
  const { sequence } = await receiving.soup.tenure(options)
  for await (const step of checkSelection(source.soup, receiving, selection, options)) yield noted(run, step)
  yield* complete(run, { statement, sequence, coverage: { mode: 'full' } })
}

async function* copyPage(run: Run, { entries, objects }: SelectedPage): AsyncGenerator<MigrationEvent> {
  const { migration, source, receiving, ledger, options } = run
  const copying = { ...options, migration }
  const settled = (ids: readonly ContentId[]) => receiving.soup.charged(ids, options)
  const windows = closureOf(source.soup, objects, { ...options, settled })
  for await (const copied of copyObjects(source, receiving, windows, { ...copying, closed: true })) {
    const batch = { type: 'objects', ...copied } as const
    ledger.add(batch)
    yield { type: 'batch', batch, progress: ledger.transferred() }
    if (copied.lost.length === 0) continue
    const lost = new FindingList()
    for (const finding of copied.lost) {
      lost.add(finding)
      yield { type: 'finding', finding }
    }
    throw sourceDamaged(run, lost)
  }
  const keys = entries.map(({ key }) => key)
  for await (const copied of copyEntries(source.soup, receiving, keys, copying)) {
    const batch = { type: 'entries', ...copied } as const
    ledger.add(batch)
    yield { type: 'batch', batch, progress: ledger.transferred() }
  }
}

/** Before the first byte: the target takes such entries, and one that it has under the same key must be equal, or an earlier version of ours. */
async function requireNoConflict(
  source: SoupReader,
  { soup, target }: { readonly soup: SoupReader; readonly target: Target & Partial<Pick<ScreeningTarget, 'screen'>> },
  selection: Selection,
  options: AbortOptions,
): Promise<void> {
  const conflicts: string[] = []
  for await (const { entries } of selection(options)) {
    target.screen?.(entries.map(({ bytes }) => decodeEntry(bytes)))
    const theirs = await soup.entriesByKey(
      entries.map(({ key }) => key),
      options,
    )
    const byKey = new Map(entries.map((entry) => [toHex(entry.key), entry]))
    for (const their of theirs) {
      const our = byKey.get(toHex(their.key)) as KeyedEntry
      if (equalBytes(our.bytes, their.bytes)) continue
      if ((await source.version(versionId(their.bytes), options)) === undefined) conflicts.push(nameOf(our))
    }
    if (conflicts.length >= NAMED) break
  }
  if (conflicts.length === 0) return
  const keys = conflicts.slice(0, NAMED)
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_CONFLICT',
    message: `The target has other values for entries that would move, the first is ${JSON.stringify(keys[0])}. Nothing was written: select fewer entries, or settle these first.`,
    details: { keys },
  })
}

const NAMED = 1_000
