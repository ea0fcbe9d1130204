import { humanBytes, humanCount, humanSeconds } from './human.ts'
import type { Streams } from './output.ts'

/** Where a long operation stands. */
export interface Standing {
  readonly label: string
  readonly done: number
  /** Unknown while it is not yet counted. */
  readonly total?: number
  readonly bytes?: number
  readonly totalBytes?: number
  /** Where it is better known than by the rate so far; `null`: not known. */
  readonly secondsLeft?: number | null
}

/** What was done in so many seconds. */
interface Pace {
  readonly done: number
  readonly bytes: number
  readonly seconds: number
}

const REDRAW_MS = 100
const BAR_LENGTH = 24

/** One line on a terminal, redrawn in place, with rate and time left; nothing where there is no terminal. */
export class Progress {
  readonly #stderr: Streams['stderr']
  readonly #active: boolean
  readonly #now: () => number
  #start = { label: '', at: 0, done: 0, bytes: 0 }
  #drawnAt = Number.NEGATIVE_INFINITY
  #drawn = false

  constructor(stderr: Streams['stderr'], options: { readonly active: boolean; readonly now?: () => number }) {
    this.#stderr = stderr
    this.#active = options.active && stderr.isTTY === true
    this.#now = options.now ?? (() => performance.now())
  }

  show(standing: Standing): void {
    if (!this.#active) return
    const now = this.#now()
    const { label, done, bytes = 0 } = standing
    if (label !== this.#start.label) this.#start = { label, at: now, done, bytes }
    else if (now - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = now
    this.#drawn = true
    const { at, ...start } = this.#start
    const pace = { done: done - start.done, bytes: bytes - start.bytes, seconds: (now - at) / 1000 }
    this.#stderr.write(`\r\x1b[K${progressLine(standing, pace).slice(0, (this.#stderr.columns ?? 80) - 1)}`)
  }

  /** Takes the line away, so that what follows begins on an empty one. */
  clear(): void {
    if (this.#drawn) this.#stderr.write('\r\x1b[K')
    this.#drawn = false
  }
}

/** The text of a progress line. Share and time left are those of the bytes, where their total is known: files differ in size. */
export function progressLine(standing: Standing, pace: Pace): string {
  const { label, done, total, bytes } = standing
  const amount = amountOf(standing, pace)
  const { secondsLeft = byRate(amount, pace) } = standing
  const parts = [label]
  if (amount.total) {
    const share = Math.min(1, amount.done / amount.total)
    const filled = Math.round(share * BAR_LENGTH)
    parts.push(`[${'#'.repeat(filled)}${'.'.repeat(BAR_LENGTH - filled)}] ${Math.floor(share * 100)} %`)
  }
  parts.push(total ? `${humanCount(done)}/${humanCount(total)}` : humanCount(done))
  if (bytes !== undefined) parts.push(humanBytes(bytes))
  // Earlier, a rate says more about the start than about the work.
  if (pace.seconds <= 0.5) return parts.join('  ')
  if (pace.done > 0) parts.push(`${humanCount(Math.round(pace.done / pace.seconds))}/s`)
  if (pace.bytes > 0) parts.push(`${humanBytes(pace.bytes / pace.seconds)}/s`)
  if (secondsLeft !== null && secondsLeft > 0) parts.push(`${humanSeconds(secondsLeft)} left`)
  return parts.join('  ')
}

interface Amount {
  readonly done: number
  readonly total: number | undefined
  readonly paced: number
}

function amountOf({ done, total, bytes, totalBytes }: Standing, pace: Pace): Amount {
  if (bytes !== undefined && totalBytes) return { done: bytes, total: totalBytes, paced: pace.bytes }
  return { done, total, paced: pace.done }
}

function byRate({ done, total, paced }: Amount, { seconds }: Pace): number | null {
  if (paced <= 0 || total === undefined || total <= done) return null
  return ((total - done) * seconds) / paced
}
