import type { AbortOptions, Envelope } from '@vault/core'
import type { Principal } from './principal.ts'
import { partTexts } from './principal.ts'
import { openProofCert } from './proof-cert.ts'

/**
 * Certificates by whom they grant to, and name certificates by whom they name. Not trusted: what it gives is verified, and what it withholds is not granted. A
 * store keeps each certificate under all of {@link indexTexts} of its subject.
 */
export interface CertificateIndex {
  /** Those whose subject is the principal with this text, or a threshold in which it has a part; in any order. */
  naming(text: string, options?: AbortOptions): Iterable<Envelope> | AsyncIterable<Envelope>
}

/** The texts under which a store keeps the certificates with this subject. */
export function indexTexts(subject: Principal): readonly string[] {
  return [...new Set(partTexts(subject))]
}

/** An index in memory. Throws for an envelope that is no certificate. */
export function createCertificateIndex(certificates: Iterable<Envelope>): CertificateIndex {
  const byText = new Map<string, Envelope[]>()
  for (const certificate of certificates) {
    for (const text of indexTexts(openProofCert(certificate).record.subject)) {
      const named = byText.get(text)
      if (named === undefined) byText.set(text, [certificate])
      else named.push(certificate)
    }
  }
  return { naming: (text) => byText.get(text) ?? [] }
}
