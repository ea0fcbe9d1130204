import type { Envelope, KeyId } from '@vault/core'
import { Above } from './above.ts'
import { addTo } from './add-to.ts'
import type { OpenCapCert } from './cap-cert.ts'
import { indexTexts } from './certificate-index.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity } from './check-cert.ts'
import { checkDelegation, meetTags } from './check-link.ts'
import { checkValidation } from './check-validation.ts'
import type { Circumstances } from './circumstances.ts'
import type { Holding } from './holding.ts'
import { holdingAfter, holdingNamed } from './holding.ts'
import type { LookBudget } from './look-budget.ts'
import type { OpenNameCert } from './name-cert.ts'
import { checkResolution, definedName, headText, resolved } from './name-link.ts'
import type { ValidationCheck } from './online-test.ts'
import { isValidationCheck } from './online-test.ts'
import type { NamePrincipal } from './principal.ts'
import { issuingTexts, isThreshold, namesIn, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isNameCert, tryOpenProofCert } from './proof-cert.ts'
import type { Outcome } from './refusal.ts'
import { refuse } from './refusal.ts'
import type { Tag } from './tag.ts'
import type { Refusal } from './trace.ts'

/** What is gone by where everything that was granted is looked at, and nothing is asked. */
export interface LookedAt extends Circumstances {
  /** `assumed`: whatever has to be validated is, so that what comes and goes within minutes is no difference. Default: as it is now. */
  readonly tests?: 'assumed'
}

/** That something was granted by a part of a threshold only. */
export interface Share {
  /** The text of the threshold. */
  readonly threshold: string
  /** The text of the member by whom it was. */
  readonly member: string
  /** How many members it takes. */
  readonly needed: number
  /** The keys of whoever gave it by a certificate, as one text: a member may be one of several, who counts once. */
  readonly by?: string
}

/** How one came to hold something. */
export interface GrantPath {
  readonly held: Holding
  /** Those that it is only, from the root on. */
  readonly shares: readonly Share[]
  readonly issued: ReadonlySet<string>
  /** The texts of the tests that are assumed to be passed: one that waits for fewer holds more. */
  readonly assumed: ReadonlySet<string>
  readonly links: readonly OpenProofCert[]
  /** Of the certificates that follow so many may be looked at. */
  readonly steps: number
}

/** A certificate that somebody who was reached has issued, or that says who is called by a name that was reached, and what comes of it. */
export type GrantStep = (
  | { readonly cert: OpenCapCert }
  /** With the name of whom it says who is called so: its own, or one that goes on from it. */
  | { readonly cert: OpenNameCert; readonly name: NamePrincipal }
) &
  ({ readonly path: GrantPath } | { readonly refusal: Refusal })

/** Certificates by those from whom something comes by them, and by those to whom. */
export interface IssuedCerts {
  /** Those that grant, under all texts as whom their issuers may be met. */
  readonly byIssuer: ReadonlyMap<string, readonly OpenCapCert[]>
  /** Those that name, under the texts of the names that they define. */
  readonly byName: ReadonlyMap<string, readonly OpenNameCert[]>
  /** All, under all texts under which a store keeps them. */
  readonly bySubject: ReadonlyMap<string, readonly OpenProofCert[]>
}

/** Sorts certificates; what is none is passed over. */
export function issuedCerts(envelopes: Iterable<Envelope>): IssuedCerts {
  const byIssuer = new Map<string, OpenCapCert[]>()
  const byName = new Map<string, OpenNameCert[]>()
  const bySubject = new Map<string, OpenProofCert[]>()
  for (const envelope of envelopes) {
    const cert = tryOpenProofCert(envelope)
    if (cert === undefined) continue
    for (const text of indexTexts(cert.record.subject)) addTo(bySubject, text, cert)
    if (isNameCert(cert)) addTo(byName, principalText(definedName(cert)), cert)
    else for (const text of issuingTexts(cert.record.issuer)) addTo(byIssuer, text, cert)
  }
  return { byIssuer, byName, bySubject }
}

/** A certificate that may follow on a path. */
type Following =
  | { readonly cert: OpenCapCert; readonly path: GrantPath }
  | { readonly cert: OpenNameCert; readonly name: NamePrincipal; readonly path: GrantPath }

/** All that the end of a path, or a member of the threshold that it is, has issued; and all that say who is called by a name that it is. */
export function followingOn(
  path: GrantPath,
  { byIssuer, byName }: Pick<IssuedCerts, 'byIssuer' | 'byName'>,
): readonly Following[] {
  const { held } = path
  const { subject } = held
  const own = principalText(subject)
  const pathOf = (member: string): GrantPath => {
    if (member === own || !isThreshold(subject)) return path
    return { ...path, shares: [...path.shares, { threshold: own, member, needed: subject.threshold }] }
  }
  const granted = [...held.parts].flatMap((part) =>
    (byIssuer.get(part) ?? []).map((cert) => ({ cert, path: pathOf(part) })),
  )
  const named = namesIn(subject).flatMap((name) =>
    (byName.get(headText(name)) ?? []).map((cert) => ({ cert, name, path: pathOf(principalText(name)) })),
  )
  return [...granted, ...named]
}

/** What comes of a certificate that may follow. */
export function stepOf(following: Following, circumstances: LookedAt, budget: LookBudget): GrantStep {
  budget.spend()
  return 'name' in following
    ? nameStepBy(following, circumstances, budget)
    : stepBy(following.cert, following.path, circumstances)
}

function stepBy(cert: OpenCapCert, path: GrantPath, circumstances: LookedAt): GrantStep {
  const { held, shares, issued, links, steps } = path
  const { issuer, subject } = cert.record
  const [by, to] = [principalText(issuer), principalText(subject)]
  const upstream = new Above([by], [held.upstream])
  let tag: Tag | undefined
  let until = Number.POSITIVE_INFINITY
  let keys: readonly KeyId[] = []
  let { assumed } = path
  const looks: readonly (() => Outcome)[] = [
    () => checkValidity(cert, circumstances.now),
    () => checkEpoch(cert, circumstances),
    () => (issued.has(to) || to === by ? refuse('CAPS_CYCLIC', 'it grants to one who has granted on') : { note: '' }),
    () => checkDelegation([held]),
    () => {
      const met = meetTags(held.tag, cert.record.tag)
      tag = met.tag
      return met.outcome
    },
    () => checkRevocation(cert, circumstances, upstream),
    () => {
      const checked = checkSignature(cert, circumstances, upstream)
      keys = checked.keys
      return checked.outcome
    },
    () => {
      if (circumstances.tests === 'assumed') {
        assumed = new Set([...assumed, ...cert.record.checks.filter(isValidationCheck).map(testText)])
        return { note: '' }
      }
      // There is no request: what each of them needs by itself, nobody holds.
      const standing = checkValidation(cert, circumstances, { upstream, request: undefined })
      until = standing.until
      return standing.outcome
    },
  ]
  const refusal = firstRefusal(looks)
  if (refusal !== undefined) return { cert, refusal }
  const next = holdingAfter(held, cert, { tag: tag as Tag, upstream })
  const bounded = { ...next, expires: Math.min(next.expires, until) }
  return {
    cert,
    path: {
      held: bounded,
      shares: givenBy(shares, keys),
      issued: new Set([...issued, by]),
      assumed,
      links: [...links, cert],
      steps,
    },
  }
}

function nameStepBy(
  { cert, name, path }: Extract<Following, { readonly name: NamePrincipal }>,
  circumstances: LookedAt,
  budget: LookBudget,
): GrantStep {
  const { held, links } = path
  const into = resolved(cert, name)
  const upstream = new Above([principalText(cert.record.issuer)], [held.upstream])
  const looks: readonly (() => Outcome)[] = [
    () => checkValidity(cert, circumstances.now),
    () => checkEpoch(cert, circumstances),
    () =>
      links.some(({ id }) => id === cert.id)
        ? refuse('CAPS_CYCLIC', 'it stands in the chain twice', { asked: cert.id })
        : checkResolution(into, name, held, path.issued),
    () => checkRevocation(cert, circumstances, upstream),
    () => checkSignature(cert, circumstances, upstream).outcome,
    () => (links.length < budget.longest ? { note: '' } : refuse('CAPS_TOO_LARGE', 'more certificates in a row')),
    () =>
      budget.admits(into ?? name) ? { note: '' } : refuse('CAPS_TOO_LARGE', 'more names of one than are followed'),
  ]
  const refusal = firstRefusal(looks)
  if (refusal !== undefined) return { cert, name, refusal }
  const next = holdingNamed(held, cert, { name, into: into ?? name })
  return { cert, name, path: { ...path, held: next, links: [...links, cert] } }
}

/** The shares that nobody had given by a certificate before, as given by these keys. */
function givenBy(shares: readonly Share[], keys: readonly KeyId[]): readonly Share[] {
  return shares.map((share) => (share.by === undefined ? { ...share, by: keys.toSorted().join(',') } : share))
}

function firstRefusal(looks: readonly (() => Outcome)[]): Refusal | undefined {
  for (const look of looks) {
    const outcome = look()
    if ('code' in outcome) return outcome
  }
  return undefined
}

function testText({ by, maxAge, kind }: ValidationCheck): string {
  return `${kind} ${maxAge} ${principalText(by)}`
}
