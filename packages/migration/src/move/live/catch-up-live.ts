import { isVaultError, VaultError } from '@vault/core'
import { copyChanges, copyDifference, countChanges, sameRoots, statementOf } from '@vault/transfer'
import { copyHeld } from '../../copy-held.ts'
import type { MigrationErrorCode } from '../../error.ts'
import type { FullRun } from '../../rounds.ts'
import { copyRound, copySteps } from '../../rounds.ts'
import type { Outcome } from '../machine.ts'
import type { RunLogs } from '../run-logs.ts'
import { openRun, updateTarget } from '../update-target.ts'
import type { StepEvents, Work } from '../work.ts'
import type { LiveRound } from './converge.ts'
import { converge, slowedDown } from './converge.ts'
import { Inflow } from './inflow.ts'
import type { LiveLog } from './live-record.ts'
import { isLiveSource } from './live-source.ts'
import type { SettledTerms } from './live-terms.ts'
import { PauseCost } from './pause-cost.ts'
import { steer } from './steer.ts'
import { NOTICE_HOLDS } from './writer-notice.ts'

// More that has changed is not counted: what it would be worth is clear by then.
const COUNTED = 1_000_000

/**
 * Rounds by the feed of the source, which goes on taking changes, until what is left is so little that nobody waits for long; then the
 * trail and what it names as far as they go by now, so that the pause is only about the rest. Throws `MIGRATION_DIVERGING` where the
 * rule of `converge` gives up.
 */
export async function* catchUpLive(work: Work, live: LiveLog): StepEvents<Outcome> {
  const { state, parts, options } = work
  // A pause that took too long has been given up.
  await parts.source.reopen(state.migration, undefined, options)
  const run = await openRun(work, { updates: true })
  const outcome = yield* updateTarget(work, run, (logs) => convergingRounds(work, live, run, logs))
  await sendTrail(work)
  return outcome
}

/** What is left of a source that has stopped taking changes: by the feed, and by comparing where that does not lead to equal roots. */
export async function* copyLeft(work: Work, live: LiveLog, run: FullRun, logs: RunLogs): StepEvents<void> {
  const { parts, options } = work
  yield* logs.follow(followSource(live, run))
  const [ours, theirs] = [await statementOf(parts.source.soup, options), await statementOf(run.receiving.soup, options)]
  if (!sameRoots(ours, theirs)) yield* logs.follow(copyRound(run))
}

async function* convergingRounds(work: Work, live: LiveLog, run: FullRun, logs: RunLogs): StepEvents<void> {
  const { terms } = live.record
  const rounds: LiveRound[] = []
  const cost = new PauseCost()
  const conditions: Conditions = { throttleMs: work.pause.delayMs, goalMs: terms.goalPauseMs }
  try {
    while (true) {
      run.ledger.beginRound()
      const events = oneRound(work, live, run, logs, { cost, conditions })
      const round = yield* telling(work, run, { terms, conditions }, events)
      rounds.push(round)
      await live.write({ rounds: [...live.record.rounds, round] }, work.options)
      yield { type: 'round', round }
      const next = converge(terms, rounds)
      if (next.type === 'quiesce') return
      if (next.type === 'abort') throw diverging(work, live, round)
      if (next.type === 'throttle') conditions.throttleMs = next.ms
      if (next.type === 'raise') conditions.goalMs = next.ms
    }
  } catch (error) {
    // Nobody is slowed down by what has stopped; and if this cannot be said, the delay ends by itself.
    await steer({ ...work, options: {} }, { delayMs: 0, waitMs: 0 }).catch(() => {})
    throw error
  }
}

/** What writers are asked for by now, and for how long the pause is meant to take. */
interface Conditions {
  throttleMs: number
  goalMs: number
}

/**
 * Tells writers before a round, and again while it lasts, so that a delay does not end within a long one; and slows them down in it as soon as it
 * shows that more comes than is dealt with.
 */
async function* telling<T>(
  work: Work,
  run: FullRun,
  { terms, conditions }: { readonly terms: SettledTerms; readonly conditions: Conditions },
  round: StepEvents<T>,
): StepEvents<T> {
  let toldAt = work.elapsed()
  const tell = async () => {
    toldAt = work.elapsed()
    await steer(work, { delayMs: conditions.throttleMs, waitMs: terms.maxPauseMs })
  }
  const holdsFor = () => Math.max(0, NOTICE_HOLDS / 4 - (work.elapsed() - toldAt))
  let inflow = await Inflow.begin(work, run)
  const tellAgain = async () => {
    const throttleMs = slowedDown(terms, { ...(await inflow.look()), throttleMs: conditions.throttleMs })
    if (throttleMs > conditions.throttleMs) inflow = await Inflow.begin(work, run)
    conditions.throttleMs = throttleMs
    await tell()
  }
  await tell()
  try {
    while (true) {
      if (holdsFor() === 0) await tellAgain()
      const next = round.next()
      // Sending a batch, or comparing the roots of a large vault, takes longer than what was told holds.
      while (!(await endsWithin(next, holdsFor()))) await tellAgain()
      const { value, done } = await next
      if (done) return value
      yield value
    }
  } finally {
    await round.return(undefined as never)
  }
}

/** Whether something ends, in whichever way, before so many milliseconds have passed. */
async function endsWithin(something: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: passed, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  const ended = something.then(
    () => true,
    () => true,
  )
  try {
    return await Promise.race([ended, passed])
  } finally {
    clearTimeout(timer)
  }
}

async function* oneRound(
  work: Work,
  live: LiveLog,
  run: FullRun,
  logs: RunLogs,
  { cost, conditions }: { readonly cost: PauseCost; readonly conditions: Readonly<Conditions> },
): StepEvents<LiveRound> {
  const { parts, elapsed, options } = work
  const started = elapsed()
  const { subjects: dirty, changes, walked } = yield* logs.follow(followSource(live, run))
  const sending = dirty === 0 ? 0 : (elapsed() - started) / dirty
  // The pause ends with comparing the roots, and so does a round: what computing them costs is known before, and paid. Not where
  // sending what is left would alone take longer than a pause may: then most of both tables has to be read for it, and again in the next round.
  const leftBefore = await countLeft(work, live)
  const compares = sending * leftBefore <= live.record.terms.maxPauseMs
  if (compares) {
    await statementOf(parts.source.soup, options)
    await statementOf(run.receiving.soup, options)
  }
  const ms = Math.round(elapsed() - started)
  const { latest } = await parts.source.soup.feed(options)
  const changesLeft = latest - (live.record.cursor ?? latest)
  const left = compares ? await countLeft(work, live) : leftBefore
  cost.add({ dirty, ms, compares })
  const estimateMs = cost.of(left) + live.record.excessMs
  return { dirty, left, ms, changes, changesLeft, estimateMs, ...conditions, walked }
}

async function countLeft({ parts, options }: Work, live: LiveLog): Promise<number> {
  const { cursor } = live.record
  if (cursor === null) return COUNTED
  try {
    return await countChanges(parts.source.soup, { after: cursor, limit: COUNTED }, options)
  } catch (error) {
    if (isVaultError(error, 'SOUP_FEED_EXPIRED')) return COUNTED
    throw error
  }
}

/** Brings everything over that the source has by now: by its feed from where that was left, or by comparing. */
async function* followSource(
  live: LiveLog,
  run: FullRun,
): StepEvents<{ readonly subjects: number; readonly changes: number; readonly walked: boolean }> {
  const { cursor } = live.record
  const { migration, source, receiving, options } = run
  if (cursor !== null) {
    try {
      const steps = copyChanges(source, receiving, { ...options, migration, after: cursor })
      const { sequence, subjects } = yield* copySteps(run, steps)
      if (sequence !== cursor) await live.write({ cursor: sequence }, options)
      return { subjects, changes: sequence - cursor, walked: false }
    } catch (error) {
      if (!isVaultError(error, 'SOUP_FEED_EXPIRED')) throw error
    }
  }
  // What changes from here on is in the feed behind this number, whether the walk sees it or not.
  const { latest } = await source.soup.feed(options)
  const before = run.ledger.items
  yield* copySteps(run, copyDifference(source, receiving, { ...options, migration }))
  await live.write({ cursor: latest }, options)
  return { subjects: run.ledger.items - before, changes: latest - (cursor ?? 0), walked: true }
}

/** The trail up to its present end, and the blocks that it names: what comes later is little. */
async function sendTrail({ state, parts, driver, held, options }: Work): Promise<void> {
  const { source, target } = parts
  const { vault, migration } = state
  if (!isLiveSource(source)) return
  const { note, size } = await source.logEnd(options)
  await target.receiveTrail({ vault, migration, from: await source.log(options), note, size }, options)
  const receiving = await target.open({ vault, migration, driver }, options)
  await copyHeld(source, receiving, { migration, driver }, options, held)
}

function diverging({ state, parts }: Work, { record }: LiveLog, round: LiveRound): VaultError<MigrationErrorCode> {
  const { migration } = state
  const { left, estimateMs } = round
  return new VaultError({
    code: 'MIGRATION_DIVERGING',
    message: `The source ${parts.source.label} is written to faster than it can be followed: ${left} changes are left after ${record.rounds.length} rounds, and nobody may wait for the ${estimateMs} ms that they would take. It stays active, and what was sent stays: resume with a longer pause, let writers be throttled, or when fewer write.`,
    details: { migration, rounds: record.rounds.length, left, estimate: estimateMs },
  })
}
