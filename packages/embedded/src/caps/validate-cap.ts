import { type AbortOptions, type ContentId, type Envelope, type Signer, VaultError } from '@vault/core'
import {
  type CapsErrorCode,
  createValidation,
  isValidationCheck,
  type OpenCapCert,
  openValidation,
  type Principal,
  principalText,
} from '@vault/spki-caps'
import type { VaultChange } from '../recorder.ts'
import { bringing } from './cap-entry.ts'
import { speakerOf } from './narrow-cap.ts'
import { knownCap } from './revoke-cap.ts'
import { validationEntry } from './validation-entry.ts'
import type { VaultCaps } from './vault-caps.ts'

/** A certificate that was said to be still good. */
export interface ValidatedCap {
  /** Of the validation. */
  readonly id: ContentId
  readonly envelope: Envelope
  /** The text of who said so. */
  readonly issuer: string
  /** Up to when the certificate holds by it: not longer than the certificate lets it be old. */
  readonly until: Date
}

/** Signs that a certificate is still good, and gives the change that brings that into the vault. Throws `CAPS_DENIED` where it would not count. */
export async function draftValidation(
  caps: VaultCaps,
  { certificate, until }: { readonly certificate: ContentId; readonly until: Date },
  signers: readonly Signer[],
  options: AbortOptions,
): Promise<ValidatedCap & { readonly change: VaultChange }> {
  const { clock, soup } = caps.parts
  const cert = await knownCap(caps, certificate, options)
  const { by: issuer, maxAge } = await namedTest(caps, cert, signers, options)
  const { seq } = await caps.keys(options)
  const from = clock()
  const draft = { issuer, certificate, from, until, ...(caps.isVault(issuer) ? { epoch: seq } : {}) }
  const envelope = await createValidation(draft, signers, options)
  const { id, record } = openValidation(envelope)
  return {
    id,
    envelope,
    issuer: principalText(issuer),
    until: new Date(Math.min(record.until, record.from + maxAge + 1) * 1000),
    change: await bringing([validationEntry(envelope)], soup, options),
  }
}

/** The test of the certificate by which these say that it is good. */
async function namedTest(
  caps: VaultCaps,
  { id, record }: OpenCapCert,
  signers: readonly Signer[],
  options: AbortOptions,
): Promise<OpenCapCert['record']['checks'][number]> {
  const keys = new Set(signers.map(({ key }) => key))
  const { operators } = (await caps.keys(options)).roles
  const mayOperate = operators.keys.filter((key) => keys.has(key)).length >= operators.threshold
  const speaks = (by: Principal) => (caps.isVault(by) ? mayOperate : speakerOf(by, keys) !== undefined)
  const tests = record.checks.filter((test) => isValidationCheck(test) && test.kind === 'validation')
  const named = tests.find(({ by }) => speaks(by))
  if (named !== undefined) return named
  const by = tests.map((test) => principalText(test.by))
  throw new VaultError<CapsErrorCode>({
    code: 'CAPS_DENIED',
    message: `The certificate ${id} ${by.length === 0 ? 'is validated by nobody' : `is validated by ${by.join(' and ')}`}, and what ${[...keys].join(' and ')} says of it would not count. Nothing was changed.`,
    details: { certificate: id, by, keys: [...keys] },
  })
}
