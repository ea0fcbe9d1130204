import type { AbortOptions, KeyId } from '@vault/core'
import { systemClock, VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import { decodePlan } from '../parse-plan.ts'
import type { Mandate } from '../permission.ts'
import { permissionFor } from '../permission.ts'
import { checkTakeBack } from './check-take-back.ts'
import type { MoveStep } from './effect.ts'
import { Journal } from './journal.ts'
import { reduceMove, stepsOf } from './machine.ts'
import type { MoveSource } from './move-endpoint.ts'
import type { MoveEvent } from './move-event.ts'
import { openStray } from './open-again.ts'
import { recordRollback, reopen } from './rollback-effects.ts'
import type { MoveState } from './state.ts'
import { targetOf } from './target-of.ts'
import type { MoveParts, SourceWork } from './work.ts'

/** The parts of a move whose target is gone. */
export interface GivingUpParts extends Mandate, Pick<MoveParts, 'source'> {
  /** The key of the place that it was moving to, where that is known: a move to another one is not given up by mistake. */
  readonly to?: KeyId
}

/** What the source does on its own. */
const ACTS = { reopen, 'record-rollback': recordRollback } as const

/**
 * Takes a move back without its target, which is gone: the source takes changes again, and the move has ended. What the target received it
 * keeps, and cannot become active by it: nothing was signed away. Where it comes back, `rollBackMove` has it give that up. Throws
 * `MIGRATION_HANDED_OFF` where the hand-off was signed: there only the target's word counts; and `MIGRATION_COMPLETE`,
 * `MIGRATION_TARGET_ADVANCED`, `MIGRATION_PLAN_MISMATCH` as `rollBackMove` does.
 */
export async function* giveUpMove(
  migration: string,
  parts: GivingUpParts,
  options: AbortOptions & { readonly reason?: string } = {},
): AsyncGenerator<MoveEvent> {
  const { reason = 'the target is gone', ...rest } = options
  rest.signal?.throwIfAborted()
  const { source } = parts
  // What cannot be given up does not stop a run that is under way.
  const found = await checkTakeBack(migration, { records: source.records, to: parts.to }, rest)
  await requireUnsigned(found, source, rest)
  await permissionFor(parts, { source: found.vault, target: found.vault }, rest).require()
  const journal = await Journal.take(source.records, migration, rest)
  const before = journal.state
  await requireUnsigned(before, source, rest)
  await openStray(before, source, rest)
  await journal.write(reduceMove(before, { type: 'roll-back', reason }), rest)
  while (journal.state.phase === 'rolling-back') {
    const { next, phase } = journal.state
    if (next !== 'reopen' && next !== 'record-rollback') {
      await journal.write(reduceMove(journal.state, { type: 'give-up' }), rest)
      break
    }
    const step = stepsOf(journal.state).find(({ effect }) => effect === next) as MoveStep
    yield { type: 'step', step, phase }
    await journal.requireOwn(rest)
    const outcome = await ACTS[next](sourceWork(journal, parts, rest))
    await journal.write(reduceMove(journal.state, { type: 'done', effect: next, outcome }), rest)
  }
  yield { type: 'moved', state: journal.state }
}

/** Throws `MIGRATION_HANDED_OFF`. A run that was killed may have signed what it has not written down. */
async function requireUnsigned(
  { migration, vault, handoff, decline, phase }: MoveState,
  source: MoveSource,
  options: AbortOptions,
): Promise<void> {
  if (decline !== null || phase === 'rolled-back') return
  if (handoff === null && (await source.signedHandoff(migration, options)) === undefined) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_HANDED_OFF',
    message: `The vault ${vault} was signed away by the migration ${migration}, so it cannot be given up without the target: that may have taken it. Resume it, or take it back, when the target answers; where that is lost for ever, "vault-migrate recover" makes this place active again.`,
    details: { vault, migration },
  })
}

function sourceWork(
  journal: Journal,
  { source, clock = systemClock }: GivingUpParts,
  options: AbortOptions,
): SourceWork {
  const { state, driver } = journal
  return { plan: decodePlan(state.plan), state, clock, driver, options, parts: { source, target: targetOf(state) } }
}
