import type { Authorize, KeyId } from '@vault/core'
import { lettingIn } from '@vault/embedded'
import { refusal } from './refusal.ts'

// What is asked for beside `write` where a part of another vault comes into an active one, and beside `migrate` where the server
// itself is to move a vault to another one.
const PARTS = 'receive-part'
const MOVES = 'move-away'

/**
 * Lets those who show one of these keys move and copy vaults, and nobody else do anything: lists that the operator keeps. Into vaults
 * that are active here only keys of `parts` bring parts of others, and only those of `moves` have the server move vaults to another one; they
 * may do what the other keys may, too.
 */
export function allowedKeys(
  keys: readonly KeyId[],
  { parts = [], moves = [] }: { readonly parts?: readonly KeyId[]; readonly moves?: readonly KeyId[] } = {},
): Authorize {
  const own: Readonly<Record<string, ReadonlySet<KeyId>>> = { [PARTS]: new Set(parts), [MOVES]: new Set(moves) }
  const allowed = new Set([...keys, ...parts, ...moves])
  return async ({ signers, action, object }) => {
    const granted = own[action] ?? allowed
    if (signers.some((key) => granted.has(key))) return { action, object, proven: true }
    throw refusal('HTTP_NOT_ALLOWED', `the key is none of those that are allowed to ${action} (${lettingIn(action)})`, {
      keys: signers,
    })
  }
}
