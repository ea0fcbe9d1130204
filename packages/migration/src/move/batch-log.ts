import { isLink } from '@vault/core'
import type { HeldBlock } from '@vault/soup'
import type { AuditNote } from './audit-note.ts'
import { transferredNote } from './audit-note.ts'
import { decodeBatchRecord } from './batch-record.ts'
import type { Work } from './work.ts'

const PAGE = 256
const ID_BYTES = 36

/**
 * Tells the audit trail of the source about the batches that the target has numbered: the target's numbers are the
 * truth, so none is left out and none told twice, wherever a run before this one was stopped.
 */
export class BatchLog {
  readonly #work: Work
  #logged = 0

  constructor(work: Work) {
    this.#work = work
  }

  /** Number of the latest batch that has been told. */
  get logged(): number {
    return this.#logged
  }

  /** Tells all that have been numbered by now. */
  async catchUp(): Promise<void> {
    const { plan, state, parts, options } = this.#work
    const { vault, migration, since } = state
    while (true) {
      const batches = await parts.target.batches({ vault, migration, after: this.#logged, limit: PAGE }, options)
      const last = batches.at(-1)
      if (last === undefined) return
      const notes: AuditNote[] = []
      const hold: HeldBlock[] = []
      for (const { batch, record: bytes } of batches) {
        const record = decodeBatchRecord(bytes)
        notes.push(transferredNote(plan, batch, record))
        if (record.list !== undefined && isLink(record.list)) {
          hold.push({ id: record.list.id, size: ID_BYTES * (record.objects + record.objects_removed) })
        }
      }
      await parts.source.tell(notes, { migration, since, hold }, options)
      this.#logged = last.batch
    }
  }
}
