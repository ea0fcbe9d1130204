import { type AbortOptions, type ContentId, type Envelope, isVaultError } from '@vault/core'
import { countingCertificates, openProofCert } from '@vault/spki-caps'
import { CAP_PREFIX } from './cap-entry.ts'
import type { VaultCaps } from './vault-caps.ts'

// All of them are looked at twice: with more, nobody waits for that.
const MOST_LOOKED_AT = 1_024

/**
 * The other certificates that count with a new one and do not without it: what its subject, or those after it, had granted on before by
 * something that was taken back or ended; and the halves that it completes, with what was granted on by them. Nothing where a vault has more than 1,024 certificates: then that is not looked at, nor is what goes more ways than a list shows.
 */
export async function revivedBy(
  caps: VaultCaps,
  certificate: Envelope,
  options: AbortOptions,
): Promise<readonly ContentId[]> {
  if ((await caps.parts.soup.count(CAP_PREFIX, options)) > MOST_LOOKED_AT) return []
  const view = await caps.view({ ...options, place: true })
  const { id: own } = openProofCert(certificate)
  try {
    const before = countingCertificates(view)
    const after = countingCertificates({ ...view, certificates: [...view.certificates, certificate] })
    return [...after].flatMap(([id, how]) => (id !== own && how !== before.get(id) ? [id] : []))
  } catch (error) {
    if (isVaultError(error, 'CAPS_LIMIT')) return []
    throw error
  }
}
