import type { AbortOptions } from '@vault/core'
import type { MoveStep } from './effect.ts'
import type { Journal } from './journal.ts'
import { reduceMove } from './machine.ts'
import type { MoveParts } from './work.ts'

/** Asks a guard before a step. Where it stops the move, a source that was closed for it is opened: who writes must not wait for a decision. */
export async function passGuard(
  guard: NonNullable<MoveParts['before']>,
  step: MoveStep,
  {
    journal,
    source,
    options,
  }: Pick<MoveParts, 'source'> & { readonly journal: Journal; readonly options: AbortOptions },
): Promise<void> {
  try {
    await guard(step, journal.state)
  } catch (error) {
    // Whoever took the move over meanwhile has it to answer for.
    await journal.requireOwn(options)
    const { phase, migration } = journal.state
    if (phase === 'quiesced') {
      await source.reopen(migration, undefined, options)
      await journal.write(reduceMove(journal.state, { type: 'overran' }), options)
    }
    throw error
  }
}
