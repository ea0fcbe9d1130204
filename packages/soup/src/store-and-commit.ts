import { isVaultError } from '@vault/core'
import type { SoupErrorCode } from './soup-error.ts'

// Each try begins with bytes in a segment that was not condemned at that moment; three times is no accident.
const ATTEMPTS = 3

const REPEATABLE: ReadonlySet<string> = new Set<SoupErrorCode>(['SOUP_CONDEMNED', 'SOUP_NOT_STORED'])

/**
 * Runs an act that stores bytes and commits a change that relies on them, from its beginning again where reclaim has condemned
 * their segment in between (`SOUP_CONDEMNED`), or the place has forgotten that they were stored (`SOUP_NOT_STORED`).
 */
export async function storeAndCommit<Result>(act: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (!isVaultError(error) || !REPEATABLE.has(error.code) || attempt === ATTEMPTS) throw error
    }
  }
}
