import type { AbortOptions, ContentId, Link } from '@vault/core'
import { decodeEnvelope, encodeEnvelope, link } from '@vault/core'
import type { Records } from '@vault/soup'
import type { Progress } from '../event.ts'
import type { Mark } from '../pace.ts'
import { addMark } from '../pace.ts'
import type { MigrationCheckpoint } from '../records/checkpoint.ts'
import {
  checkpointId,
  parseMigrationCheckpoint,
  signMigrationCheckpoint,
  verifyMigrationCheckpoint,
} from '../records/checkpoint.ts'
import { tellPace } from './move-pace.ts'
import type { Work } from './work.ts'

/** Seconds between checkpoints: they are records for people and other processes, and a resume does not depend on them. */
const INTERVAL = 5

/**
 * Checkpoints of a running transfer (M097): signed, content-addressed, each naming the one before. What has been moved is
 * found by comparing both places, so losing all of them costs nothing but the record.
 */
export class CheckpointLog {
  readonly #work: Work
  #latest: { readonly seq: number; readonly id: Link | null; readonly version: number } | undefined
  #at = Number.NEGATIVE_INFINITY
  #marks: readonly Mark[] = []

  constructor(work: Work) {
    this.#work = work
  }

  /** Makes a checkpoint where the last one is old enough. `last`: the last object of a batch that is durable. */
  async after(progress: Progress, last: ContentId | undefined): Promise<void> {
    const { clock, state, planId, parts, driver, options } = this.#work
    // Nobody is kept waiting for a record.
    if (state.phase === 'quiesced') return
    const now = clock().getTime() / 1000
    const done = { objects: progress.objects.done, bytes: progress.bytes.done }
    this.#marks = addMark(this.#marks, { at: now * 1000, ...done })
    // A clock that was set back is not waited for.
    if (Math.abs(now - this.#at) < INTERVAL) return
    this.#at = now
    const { source } = parts
    this.#latest ??= await latestOf(source.records, state.migration)
    const { objects, bytes } = progress
    const remaining = (share: Progress['objects']) => Math.max(0, (share.total ?? share.done) - share.done)
    const checkpoint: MigrationCheckpoint = {
      type: 'migration-checkpoint',
      v: 1,
      migration: state.migration,
      plan: link(planId),
      seq: this.#latest.seq + 1,
      prev: this.#latest.id,
      timestamp: Math.floor(now),
      transferred: done,
      remaining: { objects: remaining(objects), bytes: remaining(bytes) },
      last_hash: last ?? null,
      source: {
        vault: link(state.vault),
        objects: state.statement?.roots.objects ?? '',
        soup: state.statement?.roots.soup ?? '',
      },
      driver,
    }
    const envelope = encodeEnvelope(await signMigrationCheckpoint(checkpoint, source.place, options))
    const version = await source.records.swap(keyOf(state.migration), this.#latest.version, envelope, options)
    this.#latest = { seq: checkpoint.seq, id: link(checkpointId(checkpoint)), version }
    await tellPace(source.records, state.migration, this.#marks, options)
  }
}

/** The latest checkpoint of a migration, verified: one of another plan, or by another place, is refused (X18–X20). */
export async function latestCheckpoint(
  work: Pick<Work, 'state' | 'planId' | 'parts' | 'options'>,
): Promise<MigrationCheckpoint | undefined> {
  const { state, planId, parts, options } = work
  const record = await parts.source.records.read(keyOf(state.migration), options)
  if (record === undefined) return undefined
  return verifyMigrationCheckpoint(decodeEnvelope(record.bytes), {
    migration: state.migration,
    plan: planId,
    place: parts.source.place.key,
  })
}

/** The latest checkpoint of a migration as it stands in the records of a place, for people: nobody has verified it. */
export async function readMoveCheckpoint(
  records: Records,
  migration: string,
  options?: AbortOptions,
): Promise<MigrationCheckpoint | undefined> {
  const record = await records.read(keyOf(migration), options)
  return record && parseMigrationCheckpoint(decodeEnvelope(record.bytes).payload)
}

async function latestOf(
  records: Records,
  migration: string,
): Promise<{ readonly seq: number; readonly id: Link | null; readonly version: number }> {
  const record = await records.read(keyOf(migration))
  if (record === undefined) return { seq: -1, id: null, version: 0 }
  const checkpoint = parseMigrationCheckpoint(decodeEnvelope(record.bytes).payload)
  return { seq: checkpoint.seq, id: link(checkpointId(checkpoint)), version: record.version }
}

function keyOf(migration: string): string {
  return `migration/${migration}/checkpoint`
}
