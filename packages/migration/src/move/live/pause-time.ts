import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../../error.ts'
import type { Work } from '../work.ts'
import { LiveLog } from './live-record.ts'
import { steer } from './steer.ts'

// So often a pause may take too long before it is said that these terms cannot be met.
const MAX_OVERRUNS = 5

/** Before the vault is quiesced: tells those who write for how long they are to wait, and where it goes. */
export async function beginPause(work: Work): Promise<void> {
  const live = await openLive(work)
  await steer(work, { delayMs: 0, waitMs: live?.record.terms.maxPauseMs ?? 0 })
  await live?.write({ quiescedAt: work.clock().getTime() }, work.options)
}

/**
 * While the vault can still be opened again. Throws `MIGRATION_PAUSE_EXCEEDED` where a live move keeps writers waiting for longer than they
 * are to, and `MIGRATION_DIVERGING` where it has done so again and again.
 */
export async function requireInTime(work: Work): Promise<void> {
  const live = await openLive(work)
  if (live === undefined) return
  const { terms, quiescedAt, overruns } = live.record
  const ms = work.clock().getTime() - (quiescedAt ?? 0)
  if (ms <= terms.maxPauseMs) return
  await live.write({ overruns: overruns + 1 }, work.options)
  const { migration } = work.state
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_PAUSE_EXCEEDED',
    message: `The migration ${migration} had kept writers waiting for ${ms} ms, and they are to wait for ${terms.maxPauseMs}. They go on; resume it with a longer pause.`,
    details: { migration, ms, max: terms.maxPauseMs, again: overruns < MAX_OVERRUNS },
  })
}

/** When the vault is active at the target. */
export async function endPause(work: Work): Promise<void> {
  const live = await openLive(work)
  if (live === undefined || live.record.pauseMs !== null) return
  const { quiescedAt } = live.record
  if (quiescedAt === null) return
  await live.write({ pauseMs: Math.max(0, work.clock().getTime() - quiescedAt) }, work.options)
}

async function openLive({ state, parts, options }: Work): Promise<LiveLog | undefined> {
  return await LiveLog.open(parts.source.records, state.migration, options)
}
