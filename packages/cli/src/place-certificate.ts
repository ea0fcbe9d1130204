import type { AbortOptions, ContentId } from '@vault/core'
import type { Vault } from '@vault/embedded'

/** The certificate by which the place itself works with its vault; `undefined` where there is none. */
export async function placeCertificate({ caps }: Vault, options: AbortOptions): Promise<ContentId | undefined> {
  const { openCapCert } = await import('@vault/spki-caps')
  const root = await caps.rootCertificate(options)
  return root === undefined ? undefined : openCapCert(root).id
}
