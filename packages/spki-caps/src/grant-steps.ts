import type { ContentId, Envelope } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import { tryOpenCapCert } from './cap-cert.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity } from './check-cert.ts'
import { checkDelegation, meetTags } from './check-link.ts'
import { checkValidation } from './check-validation.ts'
import type { Circumstances } from './circumstances.ts'
import type { Holding } from './holding.ts'
import { holdingAfter } from './holding.ts'
import { issuingTexts, principalText } from './principal.ts'
import type { Outcome } from './refusal.ts'
import { refuse } from './refusal.ts'
import type { Tag } from './tag.ts'
import type { Refusal } from './trace.ts'

/** How one came to hold something. */
export interface GrantPath {
  readonly held: Holding
  /** The texts of the thresholds of which it is only a share. */
  readonly shares: readonly string[]
  readonly issued: ReadonlySet<string>
  readonly chain: readonly ContentId[]
}

/** A certificate that somebody who was reached has issued, and what comes of it. */
export type GrantStep =
  | { readonly cert: OpenCapCert; readonly path: GrantPath }
  | { readonly cert: OpenCapCert; readonly refusal: Refusal }

export type CertsByIssuer = ReadonlyMap<string, readonly OpenCapCert[]>

/** Certificates under all texts as whom their issuers may be met; what is none is passed over. */
export function certsByIssuer(envelopes: Iterable<Envelope>): CertsByIssuer {
  const byIssuer = new Map<string, OpenCapCert[]>()
  for (const envelope of envelopes) {
    const cert = tryOpenCapCert(envelope)
    if (cert === undefined) continue
    for (const text of issuingTexts(cert.record.issuer)) {
      const issued = byIssuer.get(text)
      if (issued === undefined) byIssuer.set(text, [cert])
      else issued.push(cert)
    }
  }
  return byIssuer
}

/** What comes of all that the end of a path, or a member of the threshold that it is, has issued. `spend` is called for each. */
export function stepsFrom(
  path: GrantPath,
  byIssuer: CertsByIssuer,
  circumstances: Circumstances,
  spend: () => void,
): readonly GrantStep[] {
  const own = principalText(path.held.subject)
  return [...path.held.parts].flatMap((part) => {
    const shares = part === own ? path.shares : [...path.shares, own]
    return (byIssuer.get(part) ?? []).map((cert) => {
      spend()
      return stepBy(cert, { ...path, shares }, circumstances)
    })
  })
}

function stepBy(
  cert: OpenCapCert,
  { held, shares, issued, chain }: GrantPath,
  circumstances: Circumstances,
): GrantStep {
  const { issuer, subject } = cert.record
  const [by, to] = [principalText(issuer), principalText(subject)]
  const upstream = new Set([...held.upstream, by])
  let tag: Tag | undefined
  let until = Number.POSITIVE_INFINITY
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
    () => checkSignature(cert, circumstances, upstream).outcome,
    () => {
      // There is no request: what each of them needs by itself, nobody holds.
      const standing = checkValidation(cert, circumstances, { upstream, request: undefined })
      until = standing.until
      return standing.outcome
    },
  ]
  for (const look of looks) {
    const outcome = look()
    if ('code' in outcome) return { cert, refusal: outcome }
  }
  const next = holdingAfter(held, cert, tag as Tag)
  const bounded = { ...next, expires: Math.min(next.expires, until) }
  return { cert, path: { held: bounded, shares, issued: new Set([...issued, by]), chain: [...chain, cert.id] } }
}
