import type { KeyId } from '@vault/core'
import { type CertificateIndex, openProofCert, type Principal, principalText } from '@vault/spki-caps'

/** The index without what was granted to these keys otherwise than as this principal. */
export function grantingTo(principal: Principal, keys: readonly KeyId[], index: CertificateIndex): CertificateIndex {
  const wanted = principalText(principal)
  const own = new Set<string>(keys)
  return {
    async *naming(text, options) {
      for await (const envelope of index.naming(text, options)) {
        if (!own.has(text) || principalText(openProofCert(envelope).record.subject) === wanted) yield envelope
      }
    },
  }
}
