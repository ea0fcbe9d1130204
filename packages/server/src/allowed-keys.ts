import type { Authorize, KeyId } from '@vault/core'
import { refusal } from './refusal.ts'

/** Grants everything to whoever shows one of these keys, and nothing to anybody else: a list that the operator keeps. */
export function allowedKeys(keys: readonly KeyId[]): Authorize {
  const allowed = new Set(keys)
  return async ({ signers, action, object }) => {
    if (signers.some((key) => allowed.has(key))) return { action, object, proven: true }
    throw refusal('HTTP_NOT_ALLOWED', 'the key is none of those that are allowed', { keys: signers })
  }
}
