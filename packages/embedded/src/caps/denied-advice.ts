import type { CapsFindingCode } from '@vault/spki-caps'

const AGAIN = 'Let it be granted again, by whoever granted it.'

const ADVICE: Partial<Readonly<Record<CapsFindingCode, string>>> = {
  CAPS_NO_CHAIN:
    'Show certificates that grant it to this key (--proof), or let whoever runs the server issue one ("vaultctl caps issue --place") or allow the key (--allow).',
  CAPS_NO_ROOT:
    'It has to begin with a key that the server trusts, or, where the vault is there already, with the vault. Whoever runs the server can issue such a certificate ("vaultctl caps issue --place") or allow the key (--allow).',
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

/** What to do about a refusal. */
export function adviceFor(code: CapsFindingCode): string {
  return ADVICE[code] ?? 'Show other certificates (--proof).'
}
