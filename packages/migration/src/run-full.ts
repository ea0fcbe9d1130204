import type { AbortOptions } from '@vault/core'
import { VaultError } from '@vault/core'
import type { Statement } from '@vault/transfer'
import { copyDifference, sameRoots, statementOf } from '@vault/transfer'
import { checkObjects } from './check-target.ts'
import type { Receiving, Source, Target } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'
import type { MigrationEvent } from './event.ts'
import { FindingList } from './finding-list.ts'
import type { Plan } from './plan.ts'
import { Ledger } from './progress.ts'
import { coverageOf, Tally } from './report.ts'
import type { Run } from './run.ts'
import { complete, noted, sourceDamaged } from './run.ts'
import { sourceStatement } from './source-statement.ts'
import { verifyReceived } from './verify-received.ts'
import { WatchedIntake } from './watched-intake.ts'

interface FullRun extends Run {
  readonly rounds: number
  /** It updates a replica and reads back what it sends: the rest was verified when the replica was made. */
  readonly updates: boolean
}

/** The source as the target became, and the number of the target's change with which it did. */
interface Reached {
  readonly statement: Statement
  readonly sequence: number
}

/** Moves a whole vault: rounds of differences until the target is what the source is, then verification. */
export async function* runFull(
  plan: Plan,
  { source, target }: { readonly source: Source; readonly target: Target },
  { reread = false, ...options }: AbortOptions & { readonly reread?: boolean },
): AsyncGenerator<MigrationEvent> {
  const { vault } = source
  const held = await target.look(vault, options)
  const before = await held.soup.view(async ({ counts }) => counts, options)
  yield { type: 'phase', phase: 'snapshot' }
  const keyEvents = await source.keyEvents(options)
  const { migration_id: migration, rounds, verification } = plan
  const opened = await target.receive({ vault, keyEvents, migration }, options)
  const intake = new WatchedIntake(opened.intake, opened.found.sequence)
  const { found, objects, soup } = opened
  const receiving: Receiving = { found, objects, soup, intake, finish: (verified, o) => opened.finish(verified, o) }
  const [ledger, tally] = [new Ledger(before), new Tally()]
  const updates = found.state === 'replica' && !reread
  const run = { migration, source, target, receiving, ledger, tally, options, rounds, updates }

  const { statement, sequence } = yield* transfer(run)

  yield { type: 'phase', phase: 'verify' }
  const readBack = updates && intake.alone && intake.sequence === sequence
  if (!readBack) yield* verifyReceived(run, statement, verification)
  const coverage = readBack ? ({ mode: 'difference' } as const) : coverageOf(verification, statement.counts)
  yield* complete(run, { statement, sequence, coverage })
}

/** Rounds until the target equals a statement of the source that was taken after the round began (M010, M011). */
async function* transfer(run: FullRun): AsyncGenerator<MigrationEvent, Reached> {
  const { source, receiving, ledger, options } = run
  let statement = await sourceStatement(source, options)
  yield { type: 'statement', statement }
  yield { type: 'phase', phase: 'transfer' }
  while (true) {
    ledger.beginRound(statement.counts)
    yield* copyRound(run)
    const reached = await statementOf(receiving.soup, options)
    statement = await sourceStatement(source, options)
    yield { type: 'statement', statement }
    if (sameRoots(reached, statement)) return { statement, sequence: reached.sequence }
    if (ledger.rounds >= run.rounds) throw incomplete(run)
  }
}

async function* copyRound(run: FullRun): AsyncGenerator<MigrationEvent> {
  const { migration, source, receiving, ledger, options } = run
  const lost = new FindingList()
  for await (const batch of copyDifference(source, receiving, { ...options, migration })) {
    ledger.add(batch)
    yield { type: 'batch', batch, progress: ledger.transferred() }
    if (batch.type !== 'objects') continue
    for (const finding of batch.lost) {
      lost.add(finding)
      yield { type: 'finding', finding }
    }
    if (!run.updates) continue
    for await (const step of checkObjects(receiving.objects, batch.ids, options)) yield noted(run, step)
  }
  if (lost.count > 0) throw sourceDamaged(run, lost)
}

function incomplete({ migration, source, rounds }: FullRun): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_INCOMPLETE',
    message: `The source ${source.label} changed in each of ${rounds} rounds, so the target never was equal to it. What was sent stays: run again when fewer changes are made, or with more rounds.`,
    details: { migration, rounds },
  })
}
