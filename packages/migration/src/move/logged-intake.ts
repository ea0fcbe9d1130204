import type { AbortOptions, Random } from '@vault/core'
import type { Committed, Intake, IntakeBatch } from '@vault/soup'
import { describeBatch, signBatchRecord } from './batch-record.ts'
import type { MoveSource } from './move-endpoint.ts'

// Ids that fit into one block, which is what a list of them is.
const MAX_LISTED = 29_000

/**
 * Gives each batch to the target with what the source will log of it: the target numbers it in the transaction that takes it, so a
 * crash behind that transaction loses no entry of the trail. The list of ids is held at the source before.
 */
export class LoggedIntake implements Pick<Intake, 'receive'> {
  readonly #intake: Pick<Intake, 'receive'>
  readonly #source: Pick<MoveSource, 'keep' | 'place'>
  readonly #driver: number
  readonly #random: Random

  constructor(
    intake: Pick<Intake, 'receive'>,
    source: Pick<MoveSource, 'keep' | 'place'>,
    { driver, random }: { readonly driver: number; readonly random: Random },
  ) {
    this.#intake = intake
    this.#source = source
    this.#driver = driver
    this.#random = random
  }

  async receive(batch: IntakeBatch, options?: AbortOptions): Promise<Committed> {
    const listed = (batch.objects?.add?.length ?? 0) + (batch.objects?.remove?.length ?? 0)
    if (listed > MAX_LISTED) throw new RangeError(`A batch lists at most ${MAX_LISTED} objects, not ${listed}.`)
    const { record, list } = describeBatch(batch, this.#random)
    if (list !== undefined) await this.#source.keep(list, { migration: batch.migration }, options)
    const signed = await signBatchRecord(record, this.#source.place, options)
    return await this.#intake.receive({ ...batch, driver: this.#driver, record: signed }, options)
  }
}
