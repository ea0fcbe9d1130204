import type { AbortOptions } from '@vault/core'
import { decode, encode, isVaultError } from '@vault/core'
import type { Records, SwapOptions } from '@vault/soup'
import { superseded } from '../journal.ts'
import type { LiveRound } from './converge.ts'
import type { LiveTerms, SettledTerms } from './live-terms.ts'
import { settleTerms } from './live-terms.ts'

/**
 * What is kept of a live move beside its journal, at the source: `formats/migration-records.md`. Losing it loses the numbers, and the
 * cursor, which a comparison of both sides stands in for.
 */
export interface LiveRecord {
  readonly type: 'migration-live'
  readonly v: 1
  readonly terms: SettledTerms
  /** The change of the source up to which the target has everything; `null`: not known. */
  readonly cursor: number | null
  /** The latest thousand. */
  readonly rounds: readonly LiveRound[]
  /** When the vault was last quiesced, in milliseconds since 1970; `null`: not yet. */
  readonly quiescedAt: number | null
  /** For how long nobody could write, at neither place; `null`: it has not passed over. */
  readonly pauseMs: number | null
  /** The longest time for which a pause has kept writers waiting: one that was given up, too. */
  readonly longestPauseMs: number
  /**
   * What is added to the estimate of a pause because earlier ones took longer than theirs: each that was given up brings it half-way to
   * what that one took.
   */
  readonly excessMs: number
  /** How often the source took changes again because the pause took too long. */
  readonly overruns: number
}

const KEPT_ROUNDS = 1_000

/** The record of a live move, as the driver keeps it. */
export class LiveLog {
  readonly #records: Records
  readonly #migration: string
  #record: LiveRecord
  #version: number

  private constructor(records: Records, migration: string, record: LiveRecord, version: number) {
    this.#records = records
    this.#migration = migration
    this.#record = record
    this.#version = version
  }

  /** `undefined` for a move that is not live. */
  static async open(records: Records, migration: string, options?: AbortOptions): Promise<LiveLog | undefined> {
    const found = await records.read(keyOf(migration), options)
    if (found === undefined) return undefined
    const stored = decode(found.bytes) as Omit<LiveRecord, 'longestPauseMs' | 'excessMs'>
    const record = { longestPauseMs: 0, excessMs: 0, ...stored }
    return new LiveLog(records, migration, record, found.version)
  }

  /** Makes a move a live one, or gives it other terms: it begins its rounds anew under these. */
  static async settle(records: Records, migration: string, terms: LiveTerms, options?: AbortOptions): Promise<void> {
    const before = await LiveLog.open(records, migration, options)
    const fresh = { cursor: null, quiescedAt: null, pauseMs: null, longestPauseMs: 0, excessMs: 0 }
    const record: LiveRecord = {
      type: 'migration-live',
      v: 1,
      ...(before?.record ?? fresh),
      rounds: [],
      overruns: 0,
      terms: settleTerms(terms),
    }
    const log = new LiveLog(records, migration, record, before?.version ?? 0)
    await log.write({}, options)
  }

  get record(): LiveRecord {
    return this.#record
  }

  get version(): number {
    return this.#version
  }

  /** Durable when it resolves, unless the options say that it need not be. Throws `MIGRATION_SUPERSEDED` where another run has written it meanwhile. */
  async write(change: Partial<LiveRecord>, options?: SwapOptions): Promise<void> {
    const next = { ...this.#record, ...change }
    const record = { ...next, rounds: next.rounds.slice(-KEPT_ROUNDS) }
    try {
      this.#version = await this.#records.swap(keyOf(this.#migration), this.#version, encode(record), options)
    } catch (error) {
      throw isVaultError(error, 'SOUP_CONFLICT') ? superseded(this.#migration, error) : error
    }
    this.#record = record
  }
}

/** What is known of a live move, without taking it over; `undefined` for one that is not live. */
export async function readLiveMove(
  records: Records,
  migration: string,
  options?: AbortOptions,
): Promise<LiveRecord | undefined> {
  return (await LiveLog.open(records, migration, options))?.record
}

function keyOf(migration: string): string {
  return `migration/${migration}/live`
}
