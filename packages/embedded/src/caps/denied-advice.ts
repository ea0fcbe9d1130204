import type { CapsFindingCode } from '@vault/spki-caps'
import { PLACE_ACTION } from './place-grant.ts'

const AGAIN = 'Let it be granted again, by whoever granted it.'

const ADVICE: Partial<Readonly<Record<CapsFindingCode, string>>> = {
  CAPS_NOT_YET: 'Wait until then, or let it be granted from now on.',
  CAPS_EXPIRED: AGAIN,
  CAPS_REVOKED: AGAIN,
  CAPS_KEY_REVOKED: AGAIN,
  CAPS_EPOCH: 'Let it be granted again, under the present keys of the vault.',
  CAPS_STALE:
    'Let the operators of the vault publish what they revoked ("vaultctl caps publish"), and show it or bring it there.',
  CAPS_NOT_VALIDATED:
    'Let whoever it names validate it ("vaultctl caps validate --out"), and show that (--proof) or bring it there.',
  CAPS_NOT_COVERED: 'Let this be granted, too.',
  CAPS_NOT_DELEGABLE: 'Let it be granted by somebody who may grant it on.',
  CAPS_KEYS_UNKNOWN: 'Show a chain that begins with a vault of this place, or with a key that the server trusts.',
}

/** The options of `vaultctl serve` for what `--allow` does not let in. */
const ALLOWING: Readonly<Record<string, string>> = {
  'receive-part': '--allow-parts',
  'move-away': '--allow-moves',
  migrate: '--allow; --allow-moves, where the server is to move it to another one',
}

/** How whoever runs "vaultctl serve" lets a key in for an action: the option that names it. */
export function lettingIn(action: string): string {
  return ALLOWING[action] ?? '--allow'
}

/** What to do about a refusal of this action. */
export function adviceFor(code: CapsFindingCode, action: string): string {
  if (code === 'CAPS_NO_CHAIN') return `Show certificates that grant it to this key (--proof). ${grantedBy(action)}`
  if (code === 'CAPS_NO_ROOT')
    return `It has to begin with ${action === PLACE_ACTION ? 'a key that the server trusts, or, where the vault is there already, with the vault' : 'the vault'}. ${grantedBy(action)}`
  return ADVICE[code] ?? 'Show other certificates (--proof).'
}

/** A place grants only that vaults are brought to it; everything else its vault grants. */
function grantedBy(action: string): string {
  if (action === PLACE_ACTION)
    return 'Whoever runs the server can issue one ("vaultctl caps issue --place") or allow the key (--allow).'
  const grant = `vaultctl caps issue DIR --to KEY --action ${action}`
  return `The operators of the vault can issue one ("${grant}"), or whoever runs the server allows the key (${lettingIn(action)}).`
}
