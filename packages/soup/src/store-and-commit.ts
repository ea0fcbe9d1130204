import { isVaultError } from '@vault/core'

// Each try begins with bytes in a segment that was not condemned at that moment; three times is no accident.
const ATTEMPTS = 3

/**
 * Runs an act that stores bytes and commits a change that relies on them, from its beginning again where reclaim has condemned
 * their segment in between (`SOUP_CONDEMNED`).
 */
export async function storeAndCommit<Result>(act: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (!isVaultError(error, 'SOUP_CONDEMNED') || attempt === ATTEMPTS) throw error
    }
  }
}
