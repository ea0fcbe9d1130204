import type { ContentId, KeyId } from '@vault/core'
import { Above, type Upstream } from './above.ts'
import type { OpenCapCert } from './cap-cert.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity, timeText } from './check-cert.ts'
import { COVERED, checkCoverage, checkDelegation, meetTags } from './check-link.ts'
import { asksForValidation, checkValidation } from './check-validation.ts'
import type { Circumstances } from './circumstances.ts'
import type { ChainLink } from './close-chain.ts'
import { closeChain } from './close-chain.ts'
import { checkFreshness } from './freshness.ts'
import type { Holding } from './holding.ts'
import { holdingAfter, joinOrUndefined, jointOrUndefined } from './holding.ts'
import { covers } from './meet.ts'
import type { OpenNameCert } from './name-cert.ts'
import { nameStep } from './name-step.ts'
import { isOnce } from './online-test.ts'
import { principalText } from './principal.ts'
import { isNameCert } from './proof-cert.ts'
import type { Asked } from './question.ts'
import { secondsOf } from './record.ts'
import type { Look, Outcome } from './refusal.ts'
import { lookAt, refuse } from './refusal.ts'
import type { Root } from './root.ts'
import type { Tag } from './tag.ts'
import type { TraceStep, Verdict } from './trace.ts'
import { unseenCert, unseenRequest } from './trace-step.ts'

/** A certificate that grants, with the texts of all as whom its issuer issues. */
export interface Issued {
  readonly cert: OpenCapCert
  readonly texts: readonly string[]
}

/** A certificate that says who is called by a name. */
export interface Named {
  readonly cert: OpenNameCert
}

/** One reduction, from one root on. */
export class Reduction {
  readonly #question: Asked
  readonly #circumstances: Circumstances
  readonly #root: Root
  readonly #holdings: Holding[] = []
  readonly #byPart = new Map<string, Holding[]>()
  /** Those of which no other holds only a part: what each of these grants, all grant. */
  readonly #last = new Set<Holding>()
  readonly #issued = new Set<string>()
  readonly #seen = new Set<ContentId>()
  readonly #links: ChainLink[] = []
  readonly #trace: TraceStep[] = []
  #heard: readonly KeyId[] = []
  #granted: Pick<Holding, 'tag' | 'expires'> | undefined

  constructor(question: Asked, circumstances: Circumstances, root: Root, held: Holding) {
    this.#question = question
    this.#circumstances = circumstances
    this.#root = root
    this.#hold(held)
  }

  run(certs: readonly (Issued | Named)[]): Verdict {
    const steps = [
      () => this.#rootStep(),
      ...certs.map((each) => () => ('texts' in each ? this.#certStep(each) : this.#nameStep(each))),
      () => this.#requestStep(),
    ]
    for (const [i, step] of steps.entries()) {
      const made = step()
      this.#trace.push(made)
      if (made.refusal !== undefined) {
        const rest = [
          ...certs.slice(i).map(({ cert }) => unseenCert(cert)),
          ...(i <= certs.length ? [unseenRequest(this.#question)] : []),
        ]
        return { ok: false, code: made.refusal.code, trace: [...this.#trace, ...rest] }
      }
    }
    const { tag, expires } = this.#granted as Pick<Holding, 'tag' | 'expires'>
    const until = Number.isFinite(expires) ? expires : null
    return {
      ok: true,
      trace: this.#trace,
      effective: {
        root: this.#root.name,
        tag,
        expires: until,
        keys: this.#heard,
        ...(certs.some(({ cert }) => !isNameCert(cert) && cert.record.checks.some(isOnce))
          ? { once: true as const }
          : {}),
      },
    }
  }

  /** How many certificates may follow on all that is held in the end. */
  get left(): number {
    return [...this.#last].reduce((least, { left }) => Math.min(least, left), Number.POSITIVE_INFINITY)
  }

  #rootStep(): TraceStep {
    const { name, subject, tag, delegate, expires } = this.#root
    const { action } = this.#question
    const looked = lookAt([
      ['validity', () => this.#rootValidity()],
      [
        'revocation',
        () =>
          action === undefined
            ? { note: 'for no action', unchecked: true }
            : checkFreshness(this.#root, action, this.#circumstances),
      ],
    ])
    return {
      kind: 'root',
      from: name,
      to: principalText(subject),
      tag,
      delegate,
      ...(expires === undefined ? {} : { expires: secondsOf(expires) }),
      ...looked,
    }
  }

  #rootValidity(): Outcome {
    const { expires } = this.#root
    if (expires === undefined) return { note: 'for ever' }
    const text = timeText(secondsOf(expires))
    return this.#circumstances.now < expires ? { note: `until ${text}` } : refuse('CAPS_EXPIRED', `expired at ${text}`)
  }

  #certStep({ cert, texts }: Issued): TraceStep {
    const { record, id } = cert
    const parents = this.#parentsOf(texts)
    const held = joinOrUndefined(parents)
    const upstream = new Above([principalText(record.issuer)], held === undefined ? [] : [held.upstream])
    let tag: Tag | undefined
    let keys: readonly KeyId[] = []
    let until = Number.POSITIVE_INFINITY
    const looks: readonly Look[] = [
      ['chain', () => this.#checkPlace(cert, parents)],
      ['delegation', () => checkDelegation(parents)],
      [
        'tag',
        () => {
          const outcome = meetTags(held?.tag, record.tag)
          tag = outcome.tag
          return outcome.outcome
        },
      ],
      ['validity', () => checkValidity(cert, this.#circumstances.now)],
      // Before the keys: what was revoked is no less so when they were replaced.
      ['revocation', () => checkRevocation(cert, this.#circumstances, upstream)],
      ['keys', () => checkEpoch(cert, this.#circumstances)],
      [
        'signature',
        () => {
          const checked = checkSignature(cert, this.#circumstances, upstream)
          keys = checked.keys
          return checked.outcome
        },
      ],
      ...this.#validationLooks(cert, upstream, (end) => {
        until = end
      }),
    ]
    const looked = lookAt(looks)
    if (looked.refusal === undefined && held !== undefined && tag !== undefined) {
      const next = holdingAfter(held, cert, { tag, upstream })
      for (const parent of parents) this.#last.delete(parent)
      this.#hold({ ...next, expires: Math.min(next.expires, until) })
      this.#links.push({ cert, texts, keys })
      this.#seen.add(id)
      this.#issued.add(principalText(record.issuer))
    }
    return { ...unseenCert(cert), ...looked }
  }

  /** What is looked at only of a certificate that asks for it. */
  #validationLooks(cert: OpenCapCert, upstream: Upstream, endsAt: (until: number) => void): readonly Look[] {
    if (!asksForValidation(cert.record.checks)) return []
    const look = () => {
      const { outcome, until } = checkValidation(cert, this.#circumstances, { upstream, request: this.#question.id })
      endsAt(until)
      return outcome
    }
    return [['validation', look]]
  }

  #nameStep({ cert }: Named): TraceStep {
    const before = { holdings: this.#holdings, seen: this.#seen, issued: this.#issued }
    const { step, holdings, link } = nameStep(cert, before, this.#circumstances)
    for (const held of holdings) this.#hold(held)
    if (link !== undefined) this.#links.push(link)
    this.#seen.add(cert.id)
    return step
  }

  /** All that the issuer holds or has a part in: whatever follows is bounded by each of them. */
  #parentsOf(texts: readonly string[]): readonly Holding[] {
    const [text, ...others] = texts
    const parents = this.#byPart.get(text as string) ?? []
    if (others.length === 0) return parents
    return [...new Set([...parents, ...others.flatMap((other) => this.#byPart.get(other) ?? [])])]
  }

  #hold(held: Holding): void {
    this.#holdings.push(held)
    this.#last.add(held)
    for (const part of held.parts) {
      const others = this.#byPart.get(part)
      if (others === undefined) this.#byPart.set(part, [held])
      else others.push(held)
    }
  }

  #checkPlace({ id, record }: OpenCapCert, parents: readonly Holding[]): Outcome {
    const issuer = principalText(record.issuer)
    if (parents.length === 0) {
      const have = principalText((this.#holdings.at(-1) as Holding).subject)
      return refuse('CAPS_CHAIN_BROKEN', 'its issuer is none to whom the chain grants', { have, asked: issuer })
    }
    const subject = principalText(record.subject)
    if (this.#seen.has(id)) return refuse('CAPS_CYCLIC', 'it stands in the chain twice', { asked: id })
    if (subject === issuer || this.#issued.has(subject)) {
      return refuse('CAPS_CYCLIC', 'it grants to one who has already granted on', { have: issuer, asked: subject })
    }
    return { note: 'issued by one to whom the chain grants' }
  }

  #requestStep(): TraceStep {
    const { tag } = this.#question
    const { outcome, keys } = closeChain(this.#holdings[0] as Holding, this.#links, this.#question, this.#circumstances)
    this.#heard = keys
    return {
      ...unseenRequest(this.#question),
      ...lookAt([
        ['coverage', () => this.#checkCoverage(tag)],
        ['signature', () => outcome],
      ]),
    }
  }

  #checkCoverage(asked: Tag): Outcome {
    const last = [...this.#last]
    // Where they do not cover it, it is told who of all is the first.
    const covered = last.every(({ tag }) => covers(tag, asked))
      ? { note: COVERED }
      : checkCoverage(this.#holdings, asked)
    this.#granted = 'code' in covered ? undefined : jointOrUndefined(last)
    if ('code' in covered || this.#granted !== undefined) return covered
    return refuse('CAPS_TOO_LARGE', 'what the chain grants is too large to be written down')
  }
}
