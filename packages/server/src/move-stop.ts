/**
 * Stops a move, but not while the vault passes over and is active nowhere. What is asked for meanwhile holds: where the vault turns back, it
 * stops the move then.
 */
export class MoveStop {
  readonly signal: AbortSignal
  readonly #stopping = new AbortController()
  #isPassing = false
  #asked: { readonly reason: unknown } | undefined

  /** `always`: what stops it at any time. */
  constructor(always: AbortSignal | undefined) {
    this.signal = AbortSignal.any([this.#stopping.signal, ...(always === undefined ? [] : [always])])
  }

  stop(reason: unknown): void {
    this.#asked ??= { reason }
    this.#settle()
  }

  /** Says with each step whether the vault passes over. */
  pass(isPassing: boolean): void {
    this.#isPassing = isPassing
    this.#settle()
  }

  #settle(): void {
    if (!this.#isPassing && this.#asked !== undefined) this.#stopping.abort(this.#asked.reason)
  }
}
