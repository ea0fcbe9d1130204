import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../../error.ts'
import type { Work } from '../work.ts'
import { longestPauseMs } from './converge.ts'
import { LiveLog } from './live-record.ts'
import { steer } from './steer.ts'

// A pause that takes too long is given up, and until the vault is open again whoever waits for it is not refused.
const LETTING_GO_MS = 1_000
// So often a pause may take too long before it is said that these terms cannot be met.
const MAX_OVERRUNS = 5

/** What is left of a pause, for one step of it. */
export interface PauseDeadline {
  /** Aborted with `MIGRATION_PAUSE_EXCEEDED` when writers have waited for as long as they are to. */
  readonly signal: AbortSignal
  /** When the step has ended. */
  clear(): void
}

/**
 * How long a live move keeps writers waiting. Within a run by a clock that cannot be set; a run that goes on with the pause of another
 * one has only the wall clock to go by, and takes one that went back for a pause that has lasted too long.
 */
export class PauseTime {
  readonly #elapsed: () => number
  #began: number | undefined
  #isUnknown = false
  #delayMs = 0

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  /**
   * For how long writers wait before each change when it catches up behind a pause of this run that was given up: half as long as before it, which
   * leaves more time for the next one, and does not begin from nothing.
   */
  get delayMs(): number {
    return this.#delayMs
  }

  /** Before the vault is quiesced: tells those who write for how long they are to wait, and where it goes. */
  async begin(work: Work): Promise<void> {
    const live = await openLive(work)
    const { maxPauseMs } = live?.record.terms ?? {}
    await steer(work, { delayMs: 0, waitMs: maxPauseMs === undefined ? 0 : maxPauseMs + LETTING_GO_MS })
    if (live === undefined) return
    const { state, migration } = await work.parts.source.soup.tenure(work.options)
    // A run that was killed had quiesced it, and since then they wait.
    if (state === 'quiesced' && migration === work.state.migration && live.record.quiescedAt !== null) return
    // Durable with the tenure that is quiesced next.
    await live.write({ quiescedAt: work.clock().getTime() }, { ...work.options, durable: false })
    this.#began = this.#elapsed()
    this.#isUnknown = false
  }

  /** For a step during which the vault can still be opened again; none for a move that is not live. Throws what it would be aborted with. */
  async deadline(work: Work): Promise<PauseDeadline | undefined> {
    const live = await openLive(work)
    if (live === undefined) return undefined
    const waited = () => delayBefore(live) + this.#spent(work, live)
    const left = longestPauseMs(live.record.terms, delayBefore(live)) - this.#spent(work, live)
    if (left < 0 || this.#isUnknown) throw exceeded(work, live, waited())
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(exceeded(work, live, waited())), left + 1)
    const { signal } = work.options
    return {
      signal: signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]),
      clear: () => clearTimeout(timer),
    }
  }

  /** When a pause was given up because it took too long. */
  async overran(work: Work): Promise<void> {
    const live = await openLive(work)
    if (live === undefined) return
    const { overruns } = live.record
    const ms = this.#spent(work, live)
    this.#delayMs = Math.floor(delayBefore(live) / 2)
    await live.write({ overruns: overruns + 1, ...longest(live, ms), ...learned(live, ms) }, work.options)
  }

  /** When the vault is active at the target. */
  async end(work: Work): Promise<void> {
    const live = await openLive(work)
    if (live === undefined || live.record.pauseMs !== null || live.record.quiescedAt === null) return
    const pauseMs = this.#spent(work, live)
    // Writers are led on by what is written next.
    await live.write({ pauseMs, ...longest(live, pauseMs) }, { ...work.options, durable: false })
  }

  #spent({ clock }: Work, { record }: LiveLog): number {
    if (this.#began === undefined) {
      const before = clock().getTime() - (record.quiescedAt ?? 0)
      this.#isUnknown = before < 0
      this.#began = this.#elapsed() - Math.max(0, before)
    }
    return Math.max(0, Math.round(this.#elapsed() - this.#began))
  }
}

/** For how long a writer may have waited before a change that met the pause. */
function delayBefore({ record }: LiveLog): number {
  return record.rounds.at(-1)?.throttleMs ?? 0
}

function longest({ record }: LiveLog, ms: number): { readonly longestPauseMs: number } {
  return { longestPauseMs: Math.max(record.longestPauseMs, ms) }
}

/** Half-way, as what kept this one may not come again; and no further than to what a pause may take, where it was given up. */
function learned({ record }: LiveLog, ms: number): { readonly excessMs: number } {
  const { excessMs, rounds, terms } = record
  const { estimateMs: expected = 0, throttleMs = 0 } = rounds.at(-1) ?? {}
  const most = longestPauseMs(terms, throttleMs)
  return { excessMs: excessMs + Math.max(0, Math.floor((Math.min(ms, most) - expected) / 2)) }
}

function exceeded({ state }: Work, { record }: LiveLog, ms: number): VaultError<MigrationErrorCode> {
  const { migration } = state
  const { maxPauseMs: max } = record.terms
  return new VaultError({
    code: 'MIGRATION_PAUSE_EXCEEDED',
    message: `The migration ${migration} had kept writers waiting for ${ms} of the ${max} ms that they may wait, and was not done. They go on; resume it with a longer pause.`,
    details: { migration, ms, max, again: record.overruns < MAX_OVERRUNS },
  })
}

async function openLive({ state, parts, options }: Work): Promise<LiveLog | undefined> {
  return await LiveLog.open(parts.source.records, state.migration, options)
}
