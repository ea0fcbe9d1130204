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
import { type CapEntryErrorCode, knownCap } from './revoke-cap.ts'
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

/** What is said of a certificate. */
export interface Validating {
  readonly certificate: ContentId
  readonly until: Date
  /** By whose test, as the certificate names it. Default: the one for which those who sign can speak, where there is one. */
  readonly by?: Principal
}

/** Signs that a certificate is still good, and gives the change that brings that into the vault. Throws `CAPS_DENIED` where it would not count, `CAPS_ISSUER_UNKNOWN`. */
export async function draftValidation(
  caps: VaultCaps,
  { certificate, until, by }: Validating,
  signers: readonly Signer[],
  options: AbortOptions,
): Promise<ValidatedCap & { readonly change: VaultChange }> {
  const { clock, soup } = caps.parts
  const cert = await knownCap(caps, certificate, options)
  const { issuer, maxAge } = await namedTest(caps, cert, { signers, by }, options)
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
    change: await bringing([await validationEntry(envelope, soup, options)], soup, options),
  }
}

/** By whose test of the certificate these say that it is good, and for how long that counts. */
async function namedTest(
  caps: VaultCaps,
  { id, record }: OpenCapCert,
  { signers, by: wanted }: { readonly signers: readonly Signer[]; readonly by: Principal | undefined },
  options: AbortOptions,
): Promise<{ readonly issuer: Principal; readonly maxAge: number }> {
  const keys = new Set(signers.map(({ key }) => key))
  const { operators } = (await caps.keys(options)).roles
  const mayOperate = operators.keys.filter((key) => keys.has(key)).length >= operators.threshold
  const speaks = (by: Principal) => (caps.isVault(by) ? mayOperate : speakerOf(by, keys) !== undefined)
  const tests = record.checks.filter((test) => isValidationCheck(test) && test.kind === 'validation')
  const asked = tests.filter(({ by }) => wanted === undefined || principalText(by) === principalText(wanted))
  if (wanted !== undefined && tests.length > 0 && asked.length === 0)
    throw notNamed(
      id,
      wanted,
      tests.map((test) => principalText(test.by)),
    )
  const own = Map.groupBy(
    asked.filter(({ by }) => speaks(by)),
    ({ by }) => principalText(by),
  )
  const [named = [], ...others] = own.values()
  if (others.length > 0) throw unclear(id, [...own.keys()])
  const [first] = named
  if (first !== undefined) return { issuer: first.by, maxAge: Math.min(...named.map(({ maxAge }) => maxAge)) }
  const by = asked.map((test) => principalText(test.by))
  throw new VaultError<CapsErrorCode>({
    code: 'CAPS_DENIED',
    message:
      by.length === 0
        ? `The certificate ${id} asks for no validation, and holds without one. Nothing was changed.`
        : `The certificate ${id} is validated by ${by.join(' and ')}, and what ${[...keys].join(' and ')} says of it would not count. Nothing was changed.`,
    details: { certificate: id, by, keys: [...keys] },
  })
}

function notNamed(certificate: ContentId, wanted: Principal, by: readonly string[]): VaultError<CapsErrorCode> {
  return new VaultError({
    code: 'CAPS_DENIED',
    message: `The certificate ${certificate} is validated by ${by.join(' and ')}, and not by ${principalText(wanted)}: --by takes one of those that it names. Nothing was changed.`,
    details: { certificate, by, wanted: principalText(wanted) },
  })
}

function unclear(certificate: ContentId, by: readonly string[]): VaultError<CapEntryErrorCode> {
  return new VaultError({
    code: 'CAPS_ISSUER_UNKNOWN',
    message: `The certificate ${certificate} is validated by ${by.join(' and by ')}, and those who sign can speak for each of them. Say by whom (--by), and then by the next. Nothing was changed.`,
    details: { certificate, by },
  })
}
