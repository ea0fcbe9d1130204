import { VaultError } from '@vault/core'
import { sameRoots, statementOf } from '@vault/transfer'
import type { MigrationErrorCode } from '../error.ts'
import { copyRound } from '../rounds.ts'
import { verdict } from '../run.ts'
import { verifyReceived } from '../verify-received.ts'
import { required } from './begin-effects.ts'
import { catchUpLive, copyLeft } from './live/catch-up-live.ts'
import { LiveLog } from './live/live-record.ts'
import { RunLogs } from './run-logs.ts'
import { openRun, sentBy, updateTarget } from './update-target.ts'
import type { Effect, Work } from './work.ts'

/**
 * Rounds of differences until the target is what the source is. A source that changes in every round does not hold the move up:
 * what is left then is sent when it is quiesced, so a move always ends.
 */
export const copy: Effect = async function* (work) {
  yield { type: 'phase', phase: 'transfer' }
  const live = await LiveLog.open(work.parts.source.records, work.state.migration, work.options)
  // What changes from here on is followed by the feed.
  await live?.write({ cursor: (await work.parts.source.soup.feed(work.options)).latest }, work.options)
  const run = await openRun(work, { updates: false })
  const logs = new RunLogs(work)
  while (true) {
    run.ledger.beginRound(required(work.state.statement).counts)
    yield* logs.follow(copyRound(run))
    const statement = await statementOf(run.receiving.soup, work.options)
    const isEqual = sameRoots(statement, await statementOf(work.parts.source.soup, work.options))
    if (isEqual || live !== undefined || run.ledger.rounds >= run.rounds)
      return { ...sentBy(work, run, logs), statement }
  }
}

/** Everything, or the sample that the plan asks for, read back and hashed: here, or by a target that proves it. */
export const verify: Effect = async function* (work) {
  yield { type: 'phase', phase: 'verify' }
  const statement = required(work.state.statement)
  const run = await openRun(work, { updates: false })
  run.ledger.beginRound(statement.counts)
  const logs = new RunLogs(work)
  yield* logs.follow(verifyReceived(run, statement, work.plan.verification))
  const coverage = run.content.coverage(work.plan.verification, statement.counts)
  const { checked } = verdict(run, statement, coverage)
  return { ...sentBy(work, run, logs), verification: { coverage, checked } }
}

/** What changed since, while the source goes on: the less is left, the shorter it will be quiesced. */
export const catchUp: Effect = async function* (work) {
  const live = await LiveLog.open(work.parts.source.records, work.state.migration, work.options)
  if (live !== undefined) return yield* catchUpLive(work, live)
  const run = await openRun(work, { updates: true })
  run.ledger.beginRound()
  return yield* updateTarget(work, run)
}

/** The rest, from a source that does not change any more: read back as it is sent, and both roots compared. */
export const copyRest: Effect = async function* (work) {
  const { parts, options } = work
  const statement = await statementOf(parts.source.soup, options)
  yield { type: 'statement', statement }
  const run = await openRun(work, { updates: true })
  run.ledger.beginRound(statement.counts)
  const live = await LiveLog.open(parts.source.records, work.state.migration, options)
  const outcome = yield* updateTarget(work, run, live && ((logs) => copyLeft(work, live, run, logs)))
  const reached = await statementOf(run.receiving.soup, options)
  if (!sameRoots(reached, statement)) throw unequal(work)
  return { ...outcome, statement }
}

function unequal({ state }: Work): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_CHANGED',
    message: `The target of the migration ${state.migration} is not what the quiesced source is: something else wrote there. What differs is sent again.`,
    details: { migration: state.migration },
  })
}
