import type { ContentId } from '@vault/core'

/** Remembers which requests were taken, so that each is taken once. */
export interface NonceLedger {
  /**
   * Takes a request, and remembers it at least until it expires; also durably where the place may restart before. `seen`:
   * it was taken before. `full`: it cannot be remembered, and so is not taken.
   */
  take(request: ContentId, expires: number, now: number): 'taken' | 'seen' | 'full'
}

/** A ledger in memory, of at most so many requests that have not expired. */
export function createNonceLedger(most = 100_000): NonceLedger {
  const taken = new Map<ContentId, number>()
  const forget = (now: number) => {
    for (const [request, expires] of taken) if (expires <= now) taken.delete(request)
  }
  return {
    take(request, expires, now) {
      if (taken.has(request)) return 'seen'
      if (taken.size >= most) forget(now)
      if (taken.size >= most) return 'full'
      taken.set(request, expires)
      return 'taken'
    },
  }
}
