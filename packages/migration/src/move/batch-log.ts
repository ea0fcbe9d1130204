import { isVaultError, VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { AuditNote } from './audit-note.ts'
import { transferredNote } from './audit-note.ts'
import type { BatchRecord } from './batch-record.ts'
import { verifyBatchRecord } from './batch-record.ts'
import type { NumberedBatch } from './move-endpoint.ts'
import type { Work } from './work.ts'

const PAGE = 256

/**
 * Tells the audit trail of the source about the batches that the target has numbered: the target's numbers are the
 * truth, so none is left out and none told twice, wherever a run before this one was stopped. What was in a batch is the source's own word.
 * One for a run: each batch is read and verified once, and what was seen before a pause costs nothing in it.
 */
export class BatchLog {
  readonly #known = new Set<string>()
  #numbered = 0
  /** Entries for batches that have been seen and not been told. */
  #waiting: AuditNote[] = []

  /** Number of the latest batch that has been seen. */
  get numbered(): number {
    return this.#numbered
  }

  /** Sees all that have been numbered by now. Throws `MIGRATION_TARGET_LIES` for what the source did not send, or not twice. */
  async see(work: Work): Promise<void> {
    const { plan, state, parts, options } = work
    const { vault, migration } = state
    while (true) {
      const batches = await parts.target.batches({ vault, migration, after: this.#numbered, limit: PAGE }, options)
      if (batches.length === 0) return
      for (const numbered of batches) {
        const record = this.#sent(work, numbered)
        this.#waiting.push(transferredNote(plan, numbered.batch, record))
      }
      // What is told at once is bounded, and so is what is in memory.
      if (this.#waiting.length >= PAGE) await this.tell(work)
    }
  }

  /** Tells the trail of all that has been seen. */
  async tell({ state, parts, options }: Work): Promise<void> {
    if (this.#waiting.length === 0) return
    const { migration, since } = state
    await parts.source.tell(this.#waiting, { migration, since }, options)
    this.#waiting = []
  }

  /** Sees and tells all that have been numbered by now. */
  async catchUp(work: Work): Promise<void> {
    await this.see(work)
    await this.tell(work)
  }

  #sent(work: Work, { batch, record: bytes }: NumberedBatch): BatchRecord {
    const { state, parts } = work
    const { migration } = state
    if (batch !== this.#numbered + 1) throw lie(work, batch, `it follows on ${this.#numbered}`)
    let record: BatchRecord
    try {
      record = verifyBatchRecord(bytes, { migration, place: parts.source.place.key })
    } catch (cause) {
      throw isVaultError(cause) ? lie(work, batch, 'the source has not sent it', cause) : cause
    }
    if (this.#known.has(record.id)) throw lie(work, batch, 'it has another number too')
    this.#known.add(record.id)
    this.#numbered = batch
    return record
  }
}

function lie({ state, parts }: Work, batch: number, why: string, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_LIES',
    message: `The target ${parts.target.label} tells of a batch ${batch}, and ${why}. Nothing was handed off; choose another target.`,
    details: { migration: state.migration, batch },
    cause,
  })
}
