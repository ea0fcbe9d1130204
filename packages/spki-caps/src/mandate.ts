import type { ContentId, Finding } from '@vault/core'
import type { Circumstances } from './circumstances.ts'
import { covers } from './meet.ts'
import { definedName, isAbout, resolved } from './name-link.ts'
import type { Principal } from './principal.ts'
import { isName, principalText } from './principal.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { isCapCert, isNameCert } from './proof-cert.ts'
import { reduce } from './reduce.ts'
import type { Tag } from './tag.ts'
import { tagText } from './tag-text.ts'
import type { Voices } from './voices.ts'

/** An undertaking in which several people act in different roles, and who may not act in two of them. */
export interface Mandate {
  readonly name: string
  /** What kind of authority it exercises, as in `representation`, `execution`, `attestation`. Decides nothing here. */
  readonly class: string
  /** What it is about; no role may need more. */
  readonly scope: Tag
  /** What one must be granted to act in a role, by the name of the role. */
  readonly roles: Readonly<Record<string, Tag>>
  /** Groups of roles of which nobody may act in two. */
  readonly distinct: readonly (readonly string[])[]
  /** How many different people must act in a role. Default: one. */
  readonly quorum: Readonly<Record<string, number>>
}

/** What somebody did in a role. */
export interface Act {
  readonly role: string
  /** Those who signed it, verified. */
  readonly voices: Voices
  /** By which they are granted what the role needs. */
  readonly proof: readonly OpenProofCert[]
  /** Of what they signed. */
  readonly id?: ContentId
}

/** The `code` of the findings about a mandate. */
export type MandateFindingCode =
  /** A role needs more than the mandate is about, or a group or quorum names a role that it does not have. */
  | 'CAPS_MANDATE_INVALID'
  /** Somebody acted in a role that the mandate does not have. */
  | 'CAPS_MANDATE_ROLE_UNKNOWN'
  /** Somebody acted in a role without being granted what it needs. `subject`: the code of the refusal. */
  | 'CAPS_MANDATE_NOT_GRANTED'
  /** Fewer different people acted in a role than must. `subject`: the role. */
  | 'CAPS_MANDATE_QUORUM'
  /** One person acted in two roles that must be apart. `subject`: the roles. */
  | 'CAPS_MANDATE_NOT_SEPARATE'

/**
 * Why the acts do not fulfil the mandate; empty where they do. All reasons are given, not only the first.
 *
 * Two acts are of one person where a key signed both, or where what they rest on was granted to the same principal first:
 * whoever grants part of his authority to a second key of his own is still one person, and so are all who act for a group
 * to which a root grants; but not all who are called by a name to which it grants: each of them is whoever is called so. Where acts hang together through a third, they count as of one person too.
 */
export function checkMandate(mandate: Mandate, acts: readonly Act[], circumstances: Circumstances): readonly Finding[] {
  const findings: Finding[] = [...faultsOf(mandate)]
  const say = (code: MandateFindingCode, message: string, subject?: string) =>
    findings.push({ code, message, ...(subject === undefined ? {} : { subject }) })
  const granted: Act[] = []
  for (const act of acts) {
    const tag = mandate.roles[act.role]
    if (!Object.hasOwn(mandate.roles, act.role) || tag === undefined) {
      say('CAPS_MANDATE_ROLE_UNKNOWN', `The mandate has no role ${act.role}.`, act.role)
      continue
    }
    const verdict = reduce({ action: act.role, tag, voices: act.voices }, act.proof, circumstances)
    if (verdict.ok) granted.push(act)
    else say('CAPS_MANDATE_NOT_GRANTED', `Acting as ${act.role} is not granted: ${verdict.code}.`, verdict.code)
  }
  const people = peopleOf(granted)
  for (const role of Object.keys(mandate.roles)) {
    const need = Object.hasOwn(mandate.quorum, role) ? (mandate.quorum[role] as number) : 1
    const have = people.filter((roles) => roles.has(role)).length
    if (have < need) say('CAPS_MANDATE_QUORUM', `${have} of ${need} different people act as ${role}.`, role)
  }
  for (const group of mandate.distinct) {
    for (const roles of people) {
      const both = group.filter((role) => roles.has(role))
      if (both.length > 1) say('CAPS_MANDATE_NOT_SEPARATE', `One person acts as ${both.join(' and ')}.`, both.join(','))
    }
  }
  return findings
}

/** How many different people did these acts, as {@link checkMandate} tells them apart. */
export function countPeople(acts: readonly Act[]): number {
  return peopleOf(acts).length
}

function faultsOf({ scope, roles, distinct, quorum }: Mandate): readonly Finding[] {
  const wide = Object.entries(roles).filter(([, tag]) => !covers(scope, tag))
  const named = [...distinct.flat(), ...Object.keys(quorum)]
  const unknown = named.filter((role) => !Object.hasOwn(roles, role))
  const low = Object.entries(quorum).filter(([, need]) => !Number.isSafeInteger(need) || need < 1)
  const invalid = (message: string): Finding => ({ code: 'CAPS_MANDATE_INVALID' satisfies MandateFindingCode, message })
  return [
    ...wide.map(([role, tag]) => invalid(`The role ${role} needs ${tagText(tag)}, which the mandate is not about.`)),
    ...unknown.map((role) => invalid(`It names ${role}, which is none of its roles.`)),
    ...low.map(([role]) => invalid(`The quorum of ${role} is not at least one.`)),
  ]
}

/** The roles of each different person. */
function peopleOf(acts: readonly Act[]): readonly ReadonlySet<string>[] {
  let people: { readonly marks: ReadonlySet<string>; readonly roles: ReadonlySet<string> }[] = []
  for (const { role, voices, proof } of acts) {
    let one = {
      marks: new Set<string>([...voices.claimed.filter((key) => voices.has(key)), ...firstHolders(proof)]),
      roles: new Set([role]),
    }
    const others = people.filter(({ marks }) => marks.isDisjointFrom(one.marks))
    for (const same of people.filter(({ marks }) => !marks.isDisjointFrom(one.marks))) {
      one = { marks: one.marks.union(same.marks), roles: one.roles.union(same.roles) }
    }
    people = [...others, one]
  }
  return people.map(({ roles }) => roles)
}

/**
 * The texts of those to whom was granted first. Of a name that is whoever is called so; where they are called so by a name of somebody else, it is
 * also who has said that: all whom he calls so are his.
 */
function firstHolders(proof: readonly OpenProofCert[]): readonly string[] {
  const [first, ...others] = proof
  if (first === undefined) return []
  if (isCapCert(first) && !isName(first.record.subject)) return [principalText(first.record.subject)]
  const start = isNameCert(first) ? definedName(first) : first.record.subject
  const named = new Set([principalText(first.record.issuer), ...(isName(start) ? [principalText(start.of)] : [])])
  const marks: string[] = []
  const holders: Principal[] = [start]
  for (const cert of isNameCert(first) ? proof : others) {
    if (!isNameCert(cert)) continue
    for (const holder of [...holders]) {
      const into = isName(holder) && isAbout(cert, holder) ? resolved(cert, holder) : undefined
      if (into === undefined) continue
      const by = principalText(cert.record.issuer)
      if (!named.has(by)) marks.push(by)
      // The grant itself goes on from whoever is called so by these names.
      if (isName(into) && !isName(cert.record.subject)) named.add(principalText(into.of))
      holders.push(into)
    }
  }
  return [...marks, ...holders.filter((holder) => !isName(holder)).map(principalText)]
}
