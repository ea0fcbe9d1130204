import { TokenBucket } from '@vault/migration/http'
import type { ServerLimits } from './limits.ts'
import { refusal } from './refusal.ts'

interface Used {
  running: number
  readonly bucket: TokenBucket
}

// Keys that asked lately; a key that is forgotten begins with a full second.
const MAX_KEYS = 4_096

/** Counts the requests of each key, or of each network, so that one that asks too much does not slow the others down. */
export class Quota {
  readonly #limits: Pick<ServerLimits, 'concurrent' | 'perSecond'>
  readonly #now: (() => number) | undefined
  readonly #used = new Map<string, Used>()

  constructor(limits: Pick<ServerLimits, 'concurrent' | 'perSecond'>, now?: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** Begins a request; what it gives ends it. Throws `HTTP_LIMIT`. */
  begin(key: string): () => void {
    const { concurrent } = this.#limits
    const used = this.#usedBy(key)
    if (used.running >= concurrent)
      throw refusal('HTTP_LIMIT', `${concurrent} requests of this client are worked on; wait for one.`)
    this.#requireLeft(used)
    used.bucket.take(1)
    used.running++
    return () => {
      used.running--
    }
  }

  /** Counts nothing yet: whether it counts, is known later. Throws `HTTP_LIMIT`. */
  check(key: string): void {
    this.#requireLeft(this.#usedBy(key))
  }

  /** Counts as so many requests more what a request of this key is about: what it owes by it, its next ones wait for. */
  spend(key: string, requests: number): void {
    this.#used.get(key)?.bucket.take(requests)
  }

  #usedBy(key: string): Used {
    const { perSecond } = this.#limits
    const used = this.#used.get(key) ?? { running: 0, bucket: new TokenBucket(perSecond, perSecond, this.#now) }
    this.#used.delete(key)
    this.#used.set(key, used)
    this.#forget()
    return used
  }

  #requireLeft({ bucket }: Used): void {
    const { perSecond } = this.#limits
    if (bucket.left < 1) throw refusal('HTTP_LIMIT', `This client has asked ${perSecond} times within a second; wait.`)
  }

  #forget(): void {
    for (const [key, { running }] of this.#used) {
      if (this.#used.size <= MAX_KEYS) return
      if (running === 0) this.#used.delete(key)
    }
  }
}
