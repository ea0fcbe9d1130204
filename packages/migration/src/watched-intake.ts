import type { AbortOptions } from '@vault/core'
import type { Committed, Intake, IntakeBatch } from '@vault/soup'

/** Notices by the numbers of changes whether another run of the same migration writes too: what that sends is not read back by this one. */
export class WatchedIntake implements Pick<Intake, 'receive'> {
  readonly #intake: Pick<Intake, 'receive'>
  #sequence: number
  #alone = true

  /** `sequence`: the latest change before the first one of this run. */
  constructor(intake: Pick<Intake, 'receive'>, sequence: number) {
    this.#intake = intake
    this.#sequence = sequence
  }

  /** The latest change that this run knows of. */
  get sequence(): number {
    return this.#sequence
  }

  /** Every change since the beginning was one of this run. */
  get alone(): boolean {
    return this.#alone
  }

  async receive(batch: IntakeBatch, options?: AbortOptions): Promise<Committed> {
    const committed = await this.#intake.receive(batch, options)
    const { sequence, added, released } = committed
    // A batch of objects that changed nothing has no number of its own, so any growth is somebody else's.
    const own = batch.entries !== undefined || added + released > 0 ? 1 : 0
    if (sequence - this.#sequence > own) this.#alone = false
    this.#sequence = sequence
    return committed
  }
}
