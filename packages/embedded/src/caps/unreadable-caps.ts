import type { AbortOptions } from '@vault/core'
import { CAP_PREFIX, keptCap, REVOCATION_PREFIX } from './cap-entry.ts'
import { rootCertificateKey } from './root-certificate.ts'
import type { VaultCaps } from './vault-caps.ts'

/** An entry in which there is no certificate, no validation, no revocation, or no set of them, though its key says so; or such a record of the place. */
export interface UnreadableCap {
  /** The key of the entry, or of the record. */
  readonly entry: string
  /**
   * What cannot be read: a certificate grants nothing, and a validation lets nothing hold; without its root certificate the key of the place
   * only reads; the others may refuse what others grant.
   */
  readonly kind: 'certificate' | 'revocation' | 'revocation-set' | 'validation' | 'root-certificate'
  /** Whether certificates are refused because of it, until it is mended. */
  readonly refuses: boolean
}

/** What of the capabilities of a vault cannot be read. */
export async function unreadableCaps(caps: VaultCaps, options: AbortOptions = {}): Promise<readonly UnreadableCap[]> {
  const found: UnreadableCap[] = []
  if ((await caps.rootStanding(options)).standing === 'unreadable')
    found.push({ entry: rootCertificateKey(caps.parts.vault), kind: 'root-certificate', refuses: false })
  for await (const page of caps.parts.soup.query({ prefix: CAP_PREFIX }, options)) {
    for (const entry of page) {
      if (keptCap(entry) === undefined) found.push({ entry: entry.key, kind: 'certificate', refuses: false })
    }
  }
  const { revocations, sets, view } = await caps.revocations(options)
  const unread = new Set(view.unread?.map(({ subject }) => `${REVOCATION_PREFIX}${subject}`))
  for (const [entry, envelope] of revocations) {
    const refuses = unread.has(entry)
    if (refuses || envelope === undefined) found.push({ entry, kind: 'revocation', refuses })
  }
  const isSaid = [...sets.values()].some((envelope) => envelope !== undefined)
  for (const [entry, envelope] of sets) {
    if (envelope === undefined) found.push({ entry, kind: 'revocation-set', refuses: !isSaid })
  }
  for (const [entry, validation] of await caps.validations(options)) {
    if (validation === undefined) found.push({ entry, kind: 'validation', refuses: false })
  }
  return found
}
