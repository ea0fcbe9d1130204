import type { Envelope } from '@vault/core'
import { unlessRefused } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import { CAP_CERT, capCertFormat } from './cap-cert.ts'
import type { OpenNameCert } from './name-cert.ts'
import { NAME_CERT, nameCertFormat } from './name-cert.ts'
import { isAbout } from './name-link.ts'
import { isByHash, issuingTexts, namesIn, partTexts, principalText } from './principal.ts'
import { decodeRecord, isOfType } from './record.ts'

/** What a proof is made of: certificates that grant, and those that say who is called by a name to which one of them grants. */
export type OpenProofCert = OpenCapCert | OpenNameCert

/** Reads a certificate of either kind. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`, `CAPS_TAG_INVALID`. Verifies no signature. */
export function openProofCert(envelope: Envelope): OpenProofCert {
  const value = decodeRecord(CAP_CERT, envelope.payload)
  const format = isOfType(value, NAME_CERT) ? nameCertFormat : capCertFormat
  return format.openDecoded(envelope, value)
}

/** As {@link openProofCert}, for stores, which may hold what is no certificate: nobody is granted anything by it. */
export function tryOpenProofCert(envelope: Envelope): OpenProofCert | undefined {
  return unlessRefused(() => openProofCert(envelope))
}

export function isNameCert(cert: OpenProofCert): cert is OpenNameCert {
  return cert.record.type === NAME_CERT
}

export function isCapCert(cert: OpenProofCert): cert is OpenCapCert {
  return cert.record.type === CAP_CERT
}

/** Whether by one certificate another one may come to count: it grants or names those who issue that, or by whose name it is. */
export function leadsTo({ record: { type, subject } }: OpenProofCert, next: OpenProofCert): boolean {
  const { issuer } = next.record
  if (isNameCert(next)) {
    // Whoever is called by a name may be called on by names of his own.
    const isCalledOn = type === NAME_CERT && principalText(subject) === principalText(issuer)
    return isCalledOn || namesIn(subject).some((name) => isAbout(next, name))
  }
  const parts = partTexts(subject)
  // The hashes of a key cost more than all else here.
  return (isByHash(subject) ? issuingTexts(issuer) : [principalText(issuer)]).some((text) => parts.includes(text))
}
