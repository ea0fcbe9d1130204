import type { MoveSaying } from '@vault/migration/http'
import type { Say } from './streams.ts'

// How far ahead of its client it may be; of what only says how far something is, no more is kept.
const AHEAD = 64
/** A client whose own patience is short must not take a long step for a silence. */
const WORKING_MS = 1_000
const PROGRESS: ReadonlySet<MoveSaying['type']> = new Set(['batch', 'checked', 'working'])

/** Tells a client how its move goes on, and never waits for it: one that reads slowly must not keep a vault in its pause. */
export class Teller implements AsyncDisposable {
  readonly #say: Say
  readonly #working: NodeJS.Timeout
  #said: Promise<void> = Promise.resolve()
  #unsaid = 0

  constructor(say: Say) {
    this.#say = say
    this.#working = setInterval(() => {
      if (this.#unsaid === 0) this.tell({ type: 'working' })
    }, WORKING_MS)
  }

  tell(saying: MoveSaying): void {
    if (this.#unsaid >= AHEAD && PROGRESS.has(saying.type)) return
    this.#unsaid++
    this.#said = this.#said
      .then(() => this.#say(saying))
      // It has gone; whoever does the work is told so elsewhere.
      .catch(() => {})
      .finally(() => {
        this.#unsaid--
      })
  }

  /** Resolves when everything was said, or nobody is there to hear it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#working)
    await this.#said
  }
}
