import type { AbortOptions } from '@vault/core'
import { isVaultError, systemClock } from '@vault/core'
import type { Plan } from '../plan.ts'
import type { EffectName } from './effect.ts'
import { readMove } from './journal.ts'
import type { MoveEvent } from './move-event.ts'
import { moveVault, rollBackMove } from './move-vault.ts'
import { isEnded } from './phase.ts'
import type { MoveState } from './state.ts'
import type { MoveParts } from './work.ts'

/** What a rehearsal showed. */
export interface Rehearsal {
  readonly migration: string
  /** Every step up to the hand-off was done, and undone again. */
  readonly ok: boolean
  /** The step that failed, and why. */
  readonly failed?: { readonly effect: EffectName | null; readonly code: string; readonly message: string }
  /** How long each step took, in milliseconds. */
  readonly steps: readonly { readonly effect: EffectName; readonly ms: number }[]
  /** For how long the vault took no changes. */
  readonly pauseMs: number
  /** As it was before it was taken back: what was sent and verified. */
  readonly state: MoveState
}

export type RehearsalEvent =
  | Exclude<MoveEvent, { type: 'moved' }>
  /** The last one. */
  | { readonly type: 'rehearsed'; readonly rehearsal: Rehearsal }

/**
 * Does a move up to the moment at which the source would sign the vault away, and takes it back: keys are made and sign, all is copied, read
 * back and verified, the vault is quiesced, its trail goes over, and the target says, signed, that it is ready. It then declines, so that
 * it can never take this hand-off, and is what it was before. So at no time is there a second place that could be taken for the vault. The
 * trail says that it began, and that it was rolled back. Whoever stops it before its last event leaves a move to be rolled back.
 */
export async function* rehearseMove(
  plan: Plan,
  parts: MoveParts,
  options: AbortOptions = {},
): AsyncGenerator<RehearsalEvent> {
  const { clock = systemClock } = parts
  const migration = plan.migration_id
  const steps: { effect: EffectName; ms: number }[] = []
  let running: { readonly effect: EffectName; readonly at: number } | undefined
  let quiescedAt: number | undefined
  let failed: Rehearsal['failed']
  let ready: MoveState | undefined
  const finish = (): void => {
    if (running !== undefined) steps.push({ effect: running.effect, ms: clock().getTime() - running.at })
    running = undefined
  }
  const events = moveVault(plan, parts, options)
  try {
    while (true) {
      const { value: event, done } = await events.next()
      if (done || event.type === 'moved') break
      if (event.type === 'step') {
        finish()
        const { effect } = event.step
        if (effect === 'sign') {
          ready = await readMove(parts.source.records, migration, options)
          break
        }
        running = { effect, at: clock().getTime() }
        if (effect === 'quiesce') quiescedAt = running.at
      }
      yield event
    }
  } catch (error) {
    if (!isVaultError(error)) {
      // Stopped from outside: nobody else would take it back.
      if (await isOpen(parts, migration)) for await (const _ of rollBackMove(migration, parts, { reason: REASON }));
      throw error
    }
    failed = { effect: running?.effect ?? null, code: error.code, message: error.message }
    finish()
    if (!(await isOpen(parts, migration))) throw error
  } finally {
    await events.return(undefined)
  }
  const state = (ready ?? (await readMove(parts.source.records, migration, options))) as MoveState
  let pauseMs = 0
  for await (const event of rollBackMove(migration, parts, { ...options, reason: REASON })) {
    // The step behind the one that lets the source take changes again.
    const opened = event.type === 'step' && event.step.effect === 'record-rollback'
    if (opened && quiescedAt !== undefined) pauseMs = Math.max(0, clock().getTime() - quiescedAt)
    if (event.type !== 'moved') yield event
  }
  yield {
    type: 'rehearsed',
    rehearsal: { migration, ok: failed === undefined, ...(failed && { failed }), steps, pauseMs, state },
  }
}

const REASON = 'it was a rehearsal'

async function isOpen({ source }: MoveParts, migration: string): Promise<boolean> {
  const begun = await readMove(source.records, migration)
  return begun !== undefined && !isEnded(begun.phase)
}
