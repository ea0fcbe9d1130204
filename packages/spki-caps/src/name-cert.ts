import type { AbortOptions, Bytes, Envelope, KeyId, Signer } from '@vault/core'
import { copyBytes } from '@vault/core'
import type { CertTerms } from './cert-terms.ts'
import { parseTerms } from './cert-terms.ts'
import type { Principal, VaultPrincipal } from './principal.ts'
import { isNameWord, isVault, parsePrincipal, principalText, withNames } from './principal.ts'
import type { Opened, RecordFormat, RecordHead } from './record.ts'
import { checkRecord, parseIssuer, recordFormat, secondsOf } from './record.ts'

/**
 * The issuer calls the subject by a name. Of one name there may be any number of certificates: whoever has one of them is called so.
 * It grants nothing; what was granted to the name reaches the subject while it holds.
 */
export interface NameCert extends RecordHead<'cap-name'>, CertTerms {
  readonly issuer: KeyId | VaultPrincipal
  /** The number of the key event whose operators sign; `null` where the issuer is not a vault. */
  readonly epoch: number | null
  readonly name: string
  readonly subject: Principal
}

/** A name certificate that was read. Nothing is verified yet. */
export type OpenNameCert = Opened<NameCert>

/** What a new name certificate is to say. */
export interface NameCertDraft {
  readonly issuer: KeyId | VaultPrincipal
  /** 1 to 64 of `a-z`, `0-9`, `_` and `-`, the first one a letter. */
  readonly name: string
  readonly subject: Principal
  readonly notBefore?: Date
  /** `null`: for ever. There is no default. */
  readonly expires: Date | null
  /** The number of the last key event of the vault that issues it. */
  readonly epoch?: number
  readonly comment?: string
  /** 16 bytes, drawn at random. */
  readonly nonce: Uint8Array
}

/** The type under which name certificates are signed. */
export const NAME_CERT = 'cap-name'

/** How they are read and written. */
export const nameCertFormat: RecordFormat<NameCert> = recordFormat<typeof NAME_CERT, NameCert>(
  NAME_CERT,
  ['issuer', 'epoch', 'name', 'subject', 'notBefore', 'expires', 'nonce', 'comment'],
  ({ issuer, epoch, name, subject, ...terms }) => {
    const by = parseIssuer(NAME_CERT, issuer, epoch)
    checkRecord(
      typeof by.issuer === 'string' || isVault(by.issuer),
      NAME_CERT,
      'its issuer is neither a key nor a vault',
    )
    checkRecord(isNameWord(name), NAME_CERT, '"name" is no word that can be a name')
    const called = parsePrincipal(subject)
    const own = withNames(by.issuer, [name]) as Principal
    checkRecord(principalText(called) !== principalText(own), NAME_CERT, 'it calls a name by itself')
    return { issuer: by.issuer, epoch: by.epoch, name, subject: called, ...parseTerms(NAME_CERT, terms) }
  },
)

/** What is signed in a name certificate, for signers that are not in one place. Throws for contents that no reader takes. */
export const nameCertPayload: (draft: NameCertDraft) => Bytes = (draft) => nameCertFormat.payload(recordOf(draft))

/** Signs a name certificate. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID` before anything is signed. */
export async function createNameCert(
  draft: NameCertDraft,
  signers: readonly Signer[],
  options?: AbortOptions,
): Promise<Envelope> {
  return await nameCertFormat.sign(recordOf(draft), signers, options)
}

/** Reads a name certificate. Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`. Verifies no signature. */
export const openNameCert: (envelope: Envelope) => OpenNameCert = nameCertFormat.open

function recordOf(draft: NameCertDraft): NameCert {
  const { issuer, epoch = null, name, subject, notBefore, expires, nonce, comment = null } = draft
  return {
    type: NAME_CERT,
    v: 1,
    issuer,
    epoch,
    name,
    subject,
    notBefore: notBefore === undefined ? null : secondsOf(notBefore),
    expires: expires === null ? null : secondsOf(expires),
    nonce: copyBytes(nonce),
    comment,
  }
}
