import type { Authorize, KeyId } from '@vault/core'
import { refusal } from './refusal.ts'

// What is asked for beside `write` where a part of another vault comes into an active one.
const PARTS = 'receive-part'

/**
 * Lets those who show one of these keys move and copy vaults, and nobody else do anything: lists that the operator keeps. Into vaults
 * that are active here only keys of `parts` bring parts of others; they may do what the other keys may, too.
 */
export function allowedKeys(
  keys: readonly KeyId[],
  { parts = [] }: { readonly parts?: readonly KeyId[] } = {},
): Authorize {
  const writing = new Set(parts)
  const allowed = new Set([...keys, ...parts])
  return async ({ signers, action, object }) => {
    const granted = action === PARTS ? writing : allowed
    if (signers.some((key) => granted.has(key))) return { action, object, proven: true }
    throw refusal('HTTP_NOT_ALLOWED', `the key is none of those that are allowed to ${action}`, { keys: signers })
  }
}
