import { type AbortOptions, isVaultError, type Signer } from '@vault/core'
import { dropStrayRoots } from './drop-stray-roots.ts'
import { keepRootCertificate } from './root-certificate.ts'
import type { VaultCaps } from './vault-caps.ts'

/**
 * Makes the root certificate of the place where it has none, none that can be read, or one by replaced keys, with operators' keys that are at
 * hand anyway. One that was revoked stays revoked.
 */
export async function renewRootCertificate(
  caps: VaultCaps,
  signers: readonly Signer[],
  options: AbortOptions = {},
): Promise<void> {
  const { vault, place, random } = caps.parts
  const { seq, roles } = await caps.keys(options)
  const held = signers.filter(({ key }) => roles.operators.keys.includes(key))
  if (held.length < roles.operators.threshold) return
  const { standing } = await caps.rootStanding(options)
  if (standing !== 'good' && standing !== 'revoked') {
    const { records } = place.soups
    await keepRootCertificate(records, { vault, epoch: seq, place: place.info.key, signers: held, random }, options)
  }
  // What is no name of theirs is in nobody's way, so it does not refuse what is done.
  await dropStrayRoots(place.soups, options).catch((error: unknown) => {
    if (!isVaultError(error)) throw error
  })
}
