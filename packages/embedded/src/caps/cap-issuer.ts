import { type AbortOptions, isVaultError, type KeyId, type KeyState, type Signer, VaultError } from '@vault/core'
import { isName, openProofCert, principalText, thresholdPrincipal, vaultPrincipal } from '@vault/spki-caps'
import { hasKey, openKey } from '../keystore.ts'
import type { Place } from '../place.ts'
import type { CapIssuer } from './issue-cap.ts'
import { renewRootCertificate } from './renew-root-certificate.ts'
import type { CapEntryErrorCode } from './revoke-cap.ts'
import type { VaultCaps } from './vault-caps.ts'

/** Those of the operators' keys that lie in the place; the passphrase is asked for once, and where one is sealed. */
export async function heldOperators(
  { dir }: Pick<Place, 'dir'>,
  { roles }: Pick<KeyState, 'roles'>,
  passphrase: () => Promise<string | undefined> = async () => undefined,
): Promise<readonly Signer[]> {
  const signers: Signer[] = []
  let asked: Promise<string | undefined> | undefined
  for (const key of roles.operators.keys) {
    const form = await hasKey({ dir, role: 'operators', key })
    if (form === undefined) continue
    if (form === 'sealed') asked ??= passphrase()
    const words = form === 'sealed' ? await asked : undefined
    signers.push(await openKey({ dir, role: 'operators', key, ...(words !== undefined && { passphrase: words }) }))
  }
  return signers
}

/** The vault as issuer, with its operators' keys. Throws `CAPS_OPERATORS_MISSING`, `KEY_PASSPHRASE`. */
export async function vaultIssuer(
  caps: VaultCaps,
  passphrase: (() => Promise<string | undefined>) | undefined,
  options: AbortOptions,
): Promise<CapIssuer> {
  const { vault, place } = caps.parts
  const keys = await caps.keys(options)
  const signers = await heldOperators(place, keys, passphrase)
  const { threshold: needed } = keys.roles.operators
  if (signers.length < needed) {
    throw new VaultError<CapEntryErrorCode>({
      code: 'CAPS_OPERATORS_MISSING',
      message: `It takes ${needed} of the operators' keys to act for the vault, and ${signers.length} are here: ${keys.roles.operators.keys.join(', ')}. Put the key files back, name ${needed === 1 ? 'an operator whose key is' : `${needed} operators whose keys are`} in your keystore (--as), or let somebody act who was granted it (--as).`,
      details: { needed, held: signers.length, keys: keys.roles.operators.keys },
    })
  }
  // While they are open: a place that has no root certificate yet gets it.
  await renewRootCertificate(caps, signers, options)
  return { issuer: vaultPrincipal(vault), signers }
}

/** The vault as issuer, with these of its operators. Throws `CAPS_OPERATORS_MISSING` where they are too few, or somebody else is among them. */
export async function operatorsAs(
  caps: VaultCaps,
  signers: readonly Signer[],
  options: AbortOptions,
): Promise<CapIssuer> {
  const { vault } = caps.parts
  const { operators } = (await caps.keys(options)).roles
  const keys = new Set(signers.map(({ key }) => key))
  const others = [...keys].filter((key) => !operators.keys.includes(key))
  if (others.length > 0 || keys.size < operators.threshold)
    throw tooFew(operators, keys, others.length > 0 ? `${others.join(' and ')} is none of them.` : '')
  await renewRootCertificate(caps, signers, options)
  return { issuer: vaultPrincipal(vault), signers }
}

/**
 * The error for signers who come to nothing, among whom there are operators of the vault, and too few: what they sign is theirs, and not a part
 * of what the vault signs. The same error where that is not so. `further`: what else they may do.
 */
export async function butFewOperators(
  error: unknown,
  caps: VaultCaps,
  {
    signers,
    further = () => '',
  }: { readonly signers?: readonly Signer[] | undefined; readonly further?: (needed: number) => string },
  options: AbortOptions,
): Promise<unknown> {
  if (signers === undefined || !(isVaultError(error, 'CAPS_DENIED') || isVaultError(error, 'CAPS_ISSUER_UNKNOWN')))
    return error
  const { operators } = (await caps.keys(options)).roles
  const own = new Set(signers.map(({ key }) => key).filter((key) => operators.keys.includes(key)))
  if (own.size === 0 || own.size >= operators.threshold) return error
  return tooFew(operators, own, further(operators.threshold), error)
}

/** How several grant something each by himself, at different times and places. */
export function halvesAdvice(needed: number): string {
  return `For members who sign each by himself let the operators grant it once to a council that may grant it on (--to ${needed}-of:K1,K2,… --delegate): then each of its members issues a half (--as NAME).`
}

function tooFew(
  { keys, threshold: needed }: KeyState['roles']['operators'],
  own: ReadonlySet<KeyId>,
  further: string,
  cause?: unknown,
): VaultError<CapEntryErrorCode> {
  const held = [...own].filter((key) => keys.includes(key)).length
  return new VaultError({
    code: 'CAPS_OPERATORS_MISSING',
    message:
      `It takes ${needed} of the operators' keys to act for the vault, all in one signature, and ${held} of them sign: ${keys.join(', ')}. Name ${needed} of them (${Array.from({ length: needed }, () => '--as NAME').join(' ')}). ${further}`.trimEnd(),
    details: { needed, held, keys },
    ...(cause !== undefined && { cause }),
  })
}

/**
 * As whom these can sign: operators of the vault, where they are enough, as the vault; others alone as themselves, and several as each
 * threshold to which something was granted, whether that still counts or not. Throws `CAPS_ISSUER_UNKNOWN` where there is nobody.
 */
export async function issuersOf(
  caps: VaultCaps,
  signers: readonly Signer[],
  options: AbortOptions,
): Promise<readonly CapIssuer[]> {
  const { operators } = (await caps.keys(options)).roles
  if (signers.every(({ key }) => operators.keys.includes(key)) && signers.length >= operators.threshold) {
    await renewRootCertificate(caps, signers, options)
    return [{ issuer: vaultPrincipal(caps.parts.vault), signers }]
  }
  const keys = new Set(signers.map(({ key }) => key))
  const [first, ...others] = keys
  if (first !== undefined && others.length === 0) return [{ issuer: first, signers }]
  const found = new Map<string, CapIssuer>()
  const index = await caps.index(options)
  for await (const envelope of index.naming(first ?? '', options)) {
    const { subject } = openProofCert(envelope).record
    if (typeof subject === 'string' || !('threshold' in subject) || subject.threshold > keys.size) continue
    // Whoever is called by a name signs for himself, and not for the threshold.
    if (subject.of.some(isName)) continue
    if ([...keys].every((key) => subject.of.includes(key))) {
      const issuer = thresholdPrincipal(subject.threshold, subject.of)
      found.set(principalText(issuer), { issuer, signers })
    }
  }
  if (found.size > 0) return [...found.values()]
  throw new VaultError<CapEntryErrorCode>({
    code: 'CAPS_ISSUER_UNKNOWN',
    message: `Nothing was granted to a threshold of which ${[...keys].join(' and ')} are enough, so they cannot sign together.`,
    details: { keys: [...keys] },
  })
}
