import type { ContentId } from '@vault/core'
import { contentId } from '@vault/core'

/** The id of a certificate: that of the block under which the vault holds it. */
export function certificateId(certificate: Uint8Array): ContentId {
  return contentId(certificate, { hash: 'sha2-256', codec: 'dag-cbor' })
}
