// Enough for an end that is near to answer, where patience is at an end.
const LEAST_MS = 250
// What is over sooner is no absence that anybody has to be told of.
const TOLD_MS = 1_000

/** The other end of a connection goes away, or is back, as those are told who look on. */
export type AbsenceEvent =
  /** It has not answered for a second or more, and is waited for. `until`: ISO 8601. */
  | { readonly type: 'away'; readonly url: string; readonly until: string }
  /** It answers, for so many milliseconds after it had not. */
  | { readonly type: 'back'; readonly url: string; readonly ms: number }

/** The same in milliseconds: for how long it is still waited for, and for how long it was away. */
type Notice = { readonly type: 'away'; readonly leftMs: number } | { readonly type: 'back'; readonly ms: number }

interface Parts {
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number
  readonly tell?: (notice: Notice) => void
}

/**
 * For how long the other end has been away, for all requests of a client together: patience is not begun anew by each that finds nobody
 * there, nor by what is asked while the first one is given up.
 */
export class Absence {
  readonly #patience: number
  readonly #now: () => number
  readonly #tell: (notice: Notice) => void
  #since: number | undefined
  #failedAt = 0
  #heardAt: number | undefined
  /** Since when it is away, where that has been told. */
  #toldSince: number | undefined

  constructor(patience: number, { now = () => performance.now(), tell = () => {} }: Parts = {}) {
    this.#patience = patience
    this.#now = now
    this.#tell = tell
  }

  /** Whether the other end has ever answered. */
  get wasHeard(): boolean {
    return this.#heardAt !== undefined
  }

  /** The other end has answered. */
  heard(): void {
    this.#since = undefined
    this.#heardAt = this.#now()
    if (this.#toldSince === undefined) return
    this.#tell({ type: 'back', ms: this.#heardAt - this.#toldSince })
    this.#toldSince = undefined
  }

  /** Nothing has come on a connection for so many milliseconds, which is not given up yet. */
  silent(ms: number): void {
    const since = this.#now() - ms
    if ((this.#heardAt ?? since) <= since) this.#away(this.#since ?? since)
  }

  /** A request has failed, and so many milliseconds before that nothing had come any more. Gives since when the other end is away. */
  failed(silentMs: number): number {
    const now = this.#now()
    // Whoever asks again long after it has given up is as patient as before.
    if (now - this.#failedAt > this.#patience) {
      this.#since = undefined
      this.#toldSince = undefined
    }
    this.#failedAt = now
    this.#since ??= now - silentMs
    this.#away(this.#since)
    return this.#since
  }

  /** So many milliseconds, or as many as are left of the patience. */
  within(ms: number): number {
    if (this.#since === undefined) return ms
    return Math.min(ms, Math.max(LEAST_MS, this.#since + this.#patience - this.#now()))
  }

  #away(since: number): void {
    const now = this.#now()
    const leftMs = since + this.#patience - now
    if (this.#toldSince !== undefined || now - since < TOLD_MS || leftMs <= 0) return
    this.#toldSince = since
    this.#tell({ type: 'away', leftMs })
  }
}
