import { VaultError } from '@vault/core'
import type { DifferenceStep, Statement } from '@vault/transfer'
import { copyDifference, sameRoots, statementOf } from '@vault/transfer'
import { checkObjects } from './check-target.ts'
import type { ContentCheck } from './content-check.ts'
import type { MigrationErrorCode } from './error.ts'
import type { MigrationEvent } from './event.ts'
import { FindingList } from './finding-list.ts'
import type { Run } from './run.ts'
import { noted, sourceDamaged } from './run.ts'
import { sourceStatement } from './source-statement.ts'

/** A run that makes the target equal, in rounds. */
export interface FullRun extends Run {
  readonly rounds: number
  /** It reads back at once what it sends: the rest was verified before. */
  readonly updates: boolean
  /** How the whole target is checked. */
  readonly content: ContentCheck
}

/** The source as the target became, and the number of the target's change with which it did. */
export interface Reached {
  readonly statement: Statement
  readonly sequence: number
}

/** Rounds until the target equals a statement of the source that was taken after the round began (M010, M011). */
export async function* copyRounds(run: FullRun): AsyncGenerator<MigrationEvent, Reached> {
  const { source, receiving, ledger, options } = run
  let statement = await sourceStatement(source, options)
  yield { type: 'statement', statement }
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

/** One pass over the differences. */
export async function* copyRound(run: FullRun): AsyncGenerator<MigrationEvent> {
  const { migration, source, receiving, options } = run
  yield* copySteps(run, copyDifference(source, receiving, { ...options, migration }))
}

/** Tells of what is copied, and, where the run updates, reads it back. */
export async function* copySteps<T>(
  run: FullRun,
  steps: AsyncGenerator<DifferenceStep, T>,
): AsyncGenerator<MigrationEvent, T> {
  const { receiving, ledger, options } = run
  const lost = new FindingList()
  const ended = new Ending(steps)
  for await (const batch of ended) {
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
  return ended.value
}

/** Steps in a loop, which gives their last word away. */
class Ending<T> implements AsyncIterable<DifferenceStep> {
  readonly #steps: AsyncGenerator<DifferenceStep, T>
  #value: { readonly last: T } | undefined

  constructor(steps: AsyncGenerator<DifferenceStep, T>) {
    this.#steps = steps
  }

  get value(): T {
    if (this.#value === undefined) throw new TypeError('The steps have not ended.')
    return this.#value.last
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DifferenceStep> {
    this.#value = { last: yield* this.#steps }
  }
}

function incomplete({ migration, source, rounds }: FullRun): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_INCOMPLETE',
    message: `The source ${source.label} changed in each of ${rounds} rounds, so the target never was equal to it. What was sent stays: run again when fewer changes are made, or with more rounds.`,
    details: { migration, rounds },
  })
}
