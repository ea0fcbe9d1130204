import type { Clock, ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import { sameRoots, statementOf } from '@vault/transfer'
import type { MigrationErrorCode } from '../error.ts'
import type { MigrationEvent } from '../event.ts'
import { Ledger } from '../progress.ts'
import { coverageOf, Tally } from '../report.ts'
import type { FullRun } from '../rounds.ts'
import { copyRound } from '../rounds.ts'
import { verdict } from '../run.ts'
import { verifyReceived } from '../verify-received.ts'
import { BatchLog } from './batch-log.ts'
import { required } from './begin-effects.ts'
import { CheckpointLog } from './checkpoint-log.ts'
import { LoggedIntake } from './logged-intake.ts'
import type { Outcome } from './machine.ts'
import { PossessionLog } from './possession-log.ts'
import type { Effect, Work } from './work.ts'

/**
 * Rounds of differences until the target is what the source is. A source that changes in every round does not hold the move up:
 * what is left then is sent when it is quiesced, so a move always ends.
 */
export const copy: Effect = async function* (work) {
  yield { type: 'phase', phase: 'transfer' }
  const run = await openRun(work, { updates: false })
  const logs = new Logs(work)
  while (true) {
    run.ledger.beginRound(required(work.state.statement).counts)
    yield* logs.follow(copyRound(run))
    const statement = await statementOf(run.receiving.soup, work.options)
    const isEqual = sameRoots(statement, await statementOf(work.parts.source.soup, work.options))
    if (isEqual || run.ledger.rounds >= run.rounds) return { ...sentBy(work, run, logs), statement }
  }
}

/** Everything, or the sample that the plan asks for, read back and hashed here. */
export const verify: Effect = async function* (work) {
  yield { type: 'phase', phase: 'verify' }
  const statement = required(work.state.statement)
  const run = await openRun(work, { updates: false })
  run.ledger.beginRound(statement.counts)
  const logs = new Logs(work)
  yield* logs.follow(verifyReceived(run, statement, work.plan.verification))
  const coverage = coverageOf(work.plan.verification, statement.counts)
  const { checked } = verdict(run, statement, coverage)
  return { ...sentBy(work, run, logs), verification: { coverage, checked } }
}

/** What changed since, while the source goes on: the less is left, the shorter it will be quiesced. */
export const catchUp: Effect = async function* (work) {
  const run = await openRun(work, { updates: true })
  run.ledger.beginRound()
  return yield* update(work, run)
}

/** The rest, from a source that does not change any more: read back as it is sent, and both roots compared. */
export const copyRest: Effect = async function* (work) {
  const { parts, options } = work
  const statement = await statementOf(parts.source.soup, options)
  yield { type: 'statement', statement }
  const run = await openRun(work, { updates: true })
  run.ledger.beginRound(statement.counts)
  const outcome = yield* update(work, run)
  const reached = await statementOf(run.receiving.soup, options)
  if (!sameRoots(reached, statement)) throw unequal(work)
  return { ...outcome, statement }
}

/**
 * One more round after everything was verified, read back as it is sent. What an earlier run sent and did not live to read
 * back would never be found to differ again, so then everything is verified once more.
 */
async function* update(work: Work, run: FullRun): AsyncGenerator<MigrationEvent, Outcome> {
  const { plan, state, options } = work
  const logs = new Logs(work)
  await logs.batches.catchUp()
  const isUnread = logs.batches.numbered > state.sent.batches
  yield* logs.follow(copyRound(run))
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
  const coverage = coverageOf(plan.verification, reached.counts)
  const { checked } = verdict(run, reached, coverage)
  return { ...sentBy(work, run, logs), verification: { coverage, checked } }
}

async function openRun(work: Work, { updates }: { readonly updates: boolean }): Promise<FullRun> {
  const { plan, state, parts, driver, random, options } = work
  const { vault, migration } = state
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
  }
}

// Milliseconds. Telling costs more than ten flushes, however many batches it is about.
const TELL_INTERVAL = 1000

/** What is kept beside a run. */
class Logs {
  readonly batches: BatchLog
  readonly possession: PossessionLog
  readonly checkpoints: CheckpointLog
  readonly #clock: Clock
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(work: Work) {
    this.#clock = work.clock
    this.batches = new BatchLog(work)
    this.possession = new PossessionLog(work)
    this.checkpoints = new CheckpointLog(work)
  }

  /**
   * Passes events on; behind each batch possession is proven, and now and then the trail is told and a checkpoint is made, while the
   * next batch is on its way. A run that is stopped in between loses nothing by it: the next one tells what the target has numbered.
   */
  async *follow<T>(events: AsyncGenerator<MigrationEvent, T>): AsyncGenerator<MigrationEvent, T> {
    // Batches that a run before this one sent and did not live to log.
    await this.batches.catchUp()
    let telling: Promise<void> = Promise.resolve()
    try {
      while (true) {
        const step = await events.next()
        if (step.done === true) {
          await telling
          await this.batches.catchUp()
          return step.value
        }
        const event = step.value
        if (event.type === 'batch') {
          await telling
          // While nothing is on its way the latest number is that of this batch.
          await this.batches.see()
          telling = this.#tell(event, this.batches.numbered)
          // Met in the next round, or when this one is left.
          telling.catch(() => {})
        }
        yield event
      }
    } finally {
      await telling.catch(() => {})
      await events.return(undefined as never).catch(() => {})
    }
  }

  async #tell({ batch, progress }: Extract<MigrationEvent, { type: 'batch' }>, number: number): Promise<void> {
    const ids: readonly ContentId[] = batch.type === 'objects' ? batch.ids : []
    await this.possession.ask(number, ids)
    const now = this.#clock().getTime()
    if (Math.abs(now - this.#toldAt) >= TELL_INTERVAL) {
      await this.batches.tell()
      this.#toldAt = now
    }
    await this.checkpoints.after(progress, ids.at(-1))
  }
}

function sentBy({ state }: Work, { ledger }: FullRun, { batches, possession }: Logs): Outcome {
  const { sent } = ledger
  const total = { ...state.sent, rounds: state.sent.rounds + ledger.rounds, batches: batches.numbered }
  for (const unit of Object.keys(sent) as (keyof typeof sent)[]) total[unit] = state.sent[unit] + sent[unit]
  return { sent: total, possession: possession.known }
}

function unequal({ state }: Work): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_CHANGED',
    message: `The target of the migration ${state.migration} is not what the quiesced source is: something else wrote there. What differs is sent again.`,
    details: { migration: state.migration },
  })
}
