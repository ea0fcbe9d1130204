import type { AbortOptions } from '@vault/core'
import { VaultError } from '@vault/core'
import type { Reclaim, SoupErrorCode } from '@vault/soup'

// Another reclaim condemns the segments that are written as long as it lasts; three times in a row is no accident.
const ATTEMPTS = 3

/**
 * Stores bytes that no change names: what is under charge already, and lies elsewhere from now on. `store` notes the segments that
 * it writes, and runs again where a reclaim has condemned one meanwhile, which may have read it before the last was written. Throws
 * `SOUP_CONDEMNED` after three times.
 */
export async function storeUncondemned<Result>(
  reclaim: Pick<Reclaim, 'condemned'>,
  store: (written: Set<string>) => Promise<Result>,
  options?: AbortOptions,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const written = new Set<string>()
    const result = await store(written)
    const segments = await reclaim.condemned([...written], options)
    if (segments.length === 0) return result
    if (attempt === ATTEMPTS) throw disturbed(segments)
  }
}

function disturbed(segments: readonly string[]): VaultError<SoupErrorCode> {
  return new VaultError({
    code: 'SOUP_CONDEMNED',
    message: 'Another reclaim of this place is at work. Nothing is lost: let it end, and repeat.',
    details: { segments },
  })
}
