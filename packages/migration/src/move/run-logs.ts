import type { ContentId } from '@vault/core'
import type { MigrationEvent } from '../event.ts'
import { CheckpointLog } from './checkpoint-log.ts'
import { PossessionLog } from './possession-log.ts'
import type { StepEvents, Work } from './work.ts'

// Milliseconds. Telling costs more than ten flushes, however many batches it is about.
const TELL_INTERVAL = 1000

/** What is kept beside a run. */
export class RunLogs {
  readonly possession: PossessionLog
  readonly checkpoints: CheckpointLog
  readonly #work: Work
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(work: Work) {
    this.#work = work
    this.possession = new PossessionLog(work)
    this.checkpoints = new CheckpointLog(work)
  }

  /** Number of the latest batch that has been seen. */
  get numbered(): number {
    return this.#work.batches.numbered
  }

  /** Sees and tells all batches that have been numbered by now. */
  async catchUp(): Promise<void> {
    await this.#work.batches.catchUp(this.#work)
  }

  /**
   * Passes events on; behind each batch possession is proven, and now and then the trail is told and a checkpoint is made, while the
   * next batch is on its way. A run that is stopped in between loses nothing by it: the next one tells what the target has numbered.
   */
  async *follow<T>(events: StepEvents<T>): StepEvents<T> {
    // Batches that a run before this one sent and did not live to log.
    await this.catchUp()
    let telling: Promise<void> = Promise.resolve()
    try {
      while (true) {
        const step = await events.next()
        if (step.done === true) {
          await telling
          await this.catchUp()
          return step.value
        }
        const event = step.value
        if (event.type === 'batch') {
          await telling
          // While nothing is on its way the latest number is that of this batch.
          await this.#work.batches.see(this.#work)
          telling = this.#tell(event, this.numbered)
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
    const now = this.#work.elapsed()
    if (now - this.#toldAt >= TELL_INTERVAL) {
      await this.#work.batches.tell(this.#work)
      this.#toldAt = now
    }
    await this.checkpoints.after(progress, ids.at(-1))
  }
}
