import type { Envelope } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import { openCapCert } from './cap-cert.ts'
import type { OpenNameCert } from './name-cert.ts'
import { openNameCert } from './name-cert.ts'

/** What a proof is made of: certificates that grant, and those that say who is called by a name to which one of them grants. */
export type OpenProofCert = OpenCapCert | OpenNameCert

/** Reads a certificate of either kind. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`, `CAPS_TAG_INVALID`. Verifies no signature. */
export function openProofCert(envelope: Envelope): OpenProofCert {
  try {
    return openCapCert(envelope)
  } catch (error) {
    if (!isVaultError(error)) throw error
    const named = readable(openNameCert, envelope)
    if (named !== undefined) return named
    throw error
  }
}

/** As {@link openProofCert}, for stores, which may hold what is no certificate: nobody is granted anything by it. */
export function tryOpenProofCert(envelope: Envelope): OpenProofCert | undefined {
  return readable(openProofCert, envelope)
}

export function isNameCert(cert: OpenProofCert): cert is OpenNameCert {
  return cert.record.type === 'cap-name'
}

export function isCapCert(cert: OpenProofCert): cert is OpenCapCert {
  return cert.record.type === 'cap'
}

function readable<T>(open: (envelope: Envelope) => T, envelope: Envelope): T | undefined {
  try {
    return open(envelope)
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}
