import type { Envelope } from '@vault/core'
import { unlessRefused } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import { CAP_CERT, capCertFormat } from './cap-cert.ts'
import type { OpenNameCert } from './name-cert.ts'
import { NAME_CERT, nameCertFormat } from './name-cert.ts'
import { definedName, headText } from './name-link.ts'
import type { Principal } from './principal.ts'
import { issuingTexts, namesIn, partTexts, principalText } from './principal.ts'
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

/**
 * By a certificate another one may come to count where a text of the one is a text of the other: it grants to those, or names those, who
 * issue that, or by whose name it is.
 */
export function leadTexts({ record: { type, subject } }: OpenProofCert): readonly string[] {
  // Whoever is called by a name may be called on by names of his own.
  const calledOn = type === NAME_CERT ? [calls(subject)] : []
  return [...partTexts(subject), ...namesIn(subject).map(headText), ...calledOn]
}

/** The texts of which one must be among the {@link leadTexts} of another. `isMeant`: somebody is meant by the hash of his key, which costs more than all else here. */
export function followTexts(cert: OpenProofCert, isMeant: boolean): readonly string[] {
  const { issuer } = cert.record
  if (isNameCert(cert)) return [principalText(definedName(cert)), calls(issuer)]
  return isMeant ? issuingTexts(issuer) : [principalText(issuer)]
}

function calls(principal: Principal): string {
  return `calls ${principalText(principal)}`
}
