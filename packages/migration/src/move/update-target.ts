import { statementOf } from '@vault/transfer'
import { askedOf, ContentCheck } from '../content-check.ts'
import { Ledger } from '../progress.ts'
import { Tally } from '../report.ts'
import type { FullRun } from '../rounds.ts'
import { copyRound } from '../rounds.ts'
import { verdict } from '../run.ts'
import { verifyReceived } from '../verify-received.ts'
import { required } from './begin-effects.ts'
import { LoggedIntake } from './logged-intake.ts'
import type { Outcome } from './machine.ts'
import { RunLogs } from './run-logs.ts'
import type { StepEvents, Work } from './work.ts'

/**
 * Sends what has changed after everything was verified, and reads it back as it is sent. What an earlier run sent and did not live to read
 * back would never be found to differ again, so then everything is verified once more.
 */
export async function* updateTarget(
  work: Work,
  run: FullRun,
  copyAll: (logs: RunLogs) => StepEvents<unknown> = (logs) => logs.follow(copyRound(run)),
): StepEvents<Outcome> {
  const { plan, state, options } = work
  const logs = new RunLogs(work)
  await logs.catchUp()
  const isUnread = logs.numbered > state.sent.batches
  yield* copyAll(logs)
  const before = required(state.verification)
  if (!isUnread) {
    const { checked } = verdict(run, required(state.statement), { mode: 'difference' })
    const verification = {
      ...before,
      checked: {
        objects: before.checked.objects + checked.objects,
        bytes: before.checked.bytes + checked.bytes,
        // Entries are read back by whoever copies them.
        entries: before.checked.entries + run.ledger.sent.entries,
      },
    }
    return { ...sentBy(work, run, logs), verification }
  }
  const reached = await statementOf(run.receiving.soup, options)
  yield* logs.follow(verifyReceived(run, reached, plan.verification))
  const coverage = run.content.coverage(plan.verification, reached.counts)
  const { checked } = verdict(run, reached, coverage)
  return { ...sentBy(work, run, logs), verification: { coverage, checked } }
}

/** Opens the target for a run of this driver. */
export async function openRun(work: Work, { updates }: { readonly updates: boolean }): Promise<FullRun> {
  const { plan, state, parts, driver, random, options } = work
  const { vault, migration } = state
  const { reread = false } = parts
  const opened = await parts.target.open({ vault, migration, driver }, options)
  const intake = new LoggedIntake(opened.intake, parts.source, { driver, random })
  const before = await opened.soup.view(async ({ counts }) => counts, options)
  return {
    migration,
    source: parts.source,
    target: parts.target,
    receiving: { ...opened, intake },
    ledger: new Ledger(before),
    tally: new Tally(),
    options,
    rounds: plan.rounds,
    updates,
    content: new ContentCheck({
      source: parts.source.objects,
      target: opened.objects,
      ...askedOf(parts.target, { vault, migration, random, verification: plan.verification, reread }),
    }),
  }
}

/** What a move has sent, with what this run did. */
export function sentBy({ state }: Work, { ledger }: FullRun, { numbered, possession }: RunLogs): Outcome {
  const { sent } = ledger
  const total = { ...state.sent, rounds: state.sent.rounds + ledger.rounds, batches: numbered }
  for (const unit of Object.keys(sent) as (keyof typeof sent)[]) total[unit] = state.sent[unit] + sent[unit]
  return { sent: total, possession: possession.known }
}
