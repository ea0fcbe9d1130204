import type { AbortOptions, Random } from '@vault/core'
import { systemRandom } from '@vault/core'
import { askedOf, ContentCheck } from './content-check.ts'
import { copyTrail } from './copy-trail.ts'
import type { Receiving, Source, Target } from './endpoint.ts'
import type { MigrationEvent } from './event.ts'
import type { Plan } from './plan.ts'
import { Ledger } from './progress.ts'
import { Tally } from './report.ts'
import { copyRounds } from './rounds.ts'
import { complete } from './run.ts'
import { verifyReceived } from './verify-received.ts'
import { WatchedIntake } from './watched-intake.ts'

/** Copies a whole vault: rounds of differences until the target is what the source is, then verification, then its audit trail. */
export async function* runFull(
  plan: Plan,
  { source, target }: { readonly source: Source; readonly target: Target },
  {
    reread = false,
    random = systemRandom,
    ...options
  }: AbortOptions & { readonly reread?: boolean; readonly random?: Random },
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
  const content = new ContentCheck({
    source: source.objects,
    target: objects,
    ...askedOf(target, { vault, migration, random, verification, reread }),
  })
  const run = { migration, source, target, receiving, ledger, tally, options, rounds, updates, content }

  yield { type: 'phase', phase: 'transfer' }
  const { statement, sequence } = yield* copyRounds(run)

  yield { type: 'phase', phase: 'verify' }
  const readBack = updates && intake.alone && intake.sequence === sequence
  if (!readBack) yield* verifyReceived(run, statement, verification)
  const coverage = readBack ? ({ mode: 'difference' } as const) : content.coverage(verification, statement.counts)
  await copyTrail(run, { keyEvents, migration }, options)
  yield* complete(run, { statement, sequence, coverage })
}
