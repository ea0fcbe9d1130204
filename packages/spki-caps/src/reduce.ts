import type { ContentId, KeyId } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { OpenCapCert } from './cap-cert.ts'
import { checkEpoch, checkRevocation, checkSignature, checkValidity, timeText } from './check-cert.ts'
import type { Circumstances } from './circumstances.ts'
import type { ChainLink } from './close-chain.ts'
import { closeChain } from './close-chain.ts'
import { DEFAULT_FRESHNESS, neededFor, standingOfSet } from './freshness.ts'
import type { Holding } from './holding.ts'
import { holdingAfter, holdingOfRoot, joinHoldings } from './holding.ts'
import { withDefaults } from './limits.ts'
import { covers, meet } from './meet.ts'
import { issuingTexts, principalText } from './principal.ts'
import { secondsOf } from './record.ts'
import type { Look, Outcome } from './refusal.ts'
import { lookAt, refuse } from './refusal.ts'
import type { Root } from './root.ts'
import type { Tag } from './tag.ts'
import { tagText } from './tag-text.ts'
import type { Check, TraceStep, Verdict } from './trace.ts'
import type { Voices } from './voices.ts'

/** What is asked, and who has been heard asking it. */
export interface Question {
  /** Decides how fresh sets of revocations must be. */
  readonly action: string
  readonly tag: Tag
  readonly voices: Voices
  /** Of the request, where there is one. */
  readonly id?: ContentId
}

/**
 * Whether a proof answers a question, from the root to whoever asks. A proof holds what is needed and in order: each
 * certificate after those that grant to its issuer. One that does not hold refuses the whole.
 *
 * A certificate that grants more than its issuer holds is no error: only what both grant goes on. Members of a threshold
 * may each have certificates of their own; what they lead to then needs enough of them.
 */
export function reduce(question: Question, proof: readonly OpenCapCert[], circumstances: Circumstances): Verdict {
  const [first] = proof
  const texts = first === undefined ? [] : issuingTexts(first.record.issuer)
  const roots = circumstances.roots.map((root) => ({ root, held: heldAt(root, circumstances) }))
  const candidates = roots.filter(({ held }) => first === undefined || texts.some((text) => held.parts.has(text)))
  let best: Verdict | undefined
  for (const { root, held } of candidates) {
    const verdict = new Reduction(question, circumstances, root, held).run(proof)
    if (verdict.ok) return verdict
    if (best === undefined || passedSteps(verdict) > passedSteps(best)) best = verdict
  }
  return best ?? withoutRoot(question, proof)
}

class Reduction {
  readonly #question: Question
  readonly #circumstances: Circumstances
  readonly #root: Root
  readonly #holdings: Holding[]
  readonly #issued = new Set<string>()
  readonly #seen = new Set<ContentId>()
  readonly #links: ChainLink[] = []
  readonly #trace: TraceStep[] = []

  constructor(question: Question, circumstances: Circumstances, root: Root, held: Holding) {
    this.#question = question
    this.#circumstances = circumstances
    this.#root = root
    this.#holdings = [held]
  }

  run(proof: readonly OpenCapCert[]): Verdict {
    const steps = [
      () => this.#rootStep(),
      ...proof.map((cert) => () => this.#certStep(cert)),
      () => this.#requestStep(),
    ]
    for (const [i, step] of steps.entries()) {
      const made = step()
      this.#trace.push(made)
      if (made.refusal !== undefined) {
        const rest = [...proof.slice(i).map(unseenCert), ...(i <= proof.length ? [unseenRequest(this.#question)] : [])]
        return { ok: false, code: made.refusal.code, trace: [...this.#trace, ...rest] }
      }
    }
    const { tag, expires } = joinHoldings(this.#holdings) as { tag: Tag; expires: number }
    const until = Number.isFinite(expires) ? expires : null
    return { ok: true, trace: this.#trace, effective: { root: this.#root.name, tag, expires: until } }
  }

  #rootStep(): TraceStep {
    const { name, subject, tag, delegate, expires } = this.#root
    const looked = lookAt([
      ['validity', () => this.#rootValidity()],
      ['revocation', () => this.#rootFreshness()],
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

  #rootFreshness(): Outcome {
    const { revocations, freshness = DEFAULT_FRESHNESS, now } = this.#circumstances
    if (revocations === 'unchecked') return { note: 'nobody looked', unchecked: true }
    if (this.#root.revocations === 'none') return { note: 'nobody keeps a set for this root', unchecked: true }
    const needed = neededFor(this.#question.action, freshness)
    const by = principalText(this.#root.revocations)
    const { fresh, note } = standingOfSet(revocations, by, needed, secondsOf(now))
    if (fresh) return { note }
    const asked = needed === 'current' ? 'the present set' : `at most ${needed} s old`
    return refuse('CAPS_STALE', `${note}; ${this.#question.action} needs ${asked}`, { have: note, asked })
  }

  #certStep(cert: OpenCapCert): TraceStep {
    const { record, id } = cert
    const parents = this.#parentsOf(cert)
    const held = joinOrUndefined(parents)
    const upstream = new Set([...(held?.upstream ?? []), principalText(record.issuer)])
    let tag: Tag | undefined
    let keys: readonly KeyId[] = []
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
      ['keys', () => checkEpoch(cert, this.#circumstances)],
      ['revocation', () => checkRevocation(cert, this.#circumstances, upstream)],
      [
        'signature',
        () => {
          const checked = checkSignature(cert, this.#circumstances, upstream)
          keys = checked.keys
          return checked.outcome
        },
      ],
    ]
    const looked = lookAt(looks)
    if (looked.refusal === undefined && held !== undefined && tag !== undefined) {
      this.#holdings.push(holdingAfter(held, cert, tag))
      this.#links.push({ cert, keys })
      this.#seen.add(id)
      for (const text of issuingTexts(record.issuer)) this.#issued.add(text)
    }
    return { ...unseenCert(cert), ...looked }
  }

  /** All that the issuer holds or has a part in: whatever follows is bounded by each of them. */
  #parentsOf({ record }: OpenCapCert): readonly Holding[] {
    const texts = issuingTexts(record.issuer)
    return this.#holdings.filter(({ parts }) => texts.some((text) => parts.has(text)))
  }

  #checkPlace({ id, record }: OpenCapCert, parents: readonly Holding[]): Outcome {
    const issuer = principalText(record.issuer)
    if (parents.length === 0) {
      const have = principalText((this.#holdings.at(-1) as Holding).subject)
      return refuse('CAPS_CHAIN_BROKEN', 'its issuer is none to whom the chain grants', { have, asked: issuer })
    }
    const subject = principalText(record.subject)
    if (this.#seen.has(id)) return refuse('CAPS_CYCLIC', 'it stands in the chain twice', { asked: id })
    if (this.#issued.has(subject) || issuingTexts(record.issuer).includes(subject)) {
      return refuse('CAPS_CYCLIC', 'it grants to one who has already granted on', { have: issuer, asked: subject })
    }
    return { note: 'issued by one to whom the chain grants' }
  }

  #requestStep(): TraceStep {
    const { tag, voices } = this.#question
    const closing = closeChain(this.#root.subject, this.#links, this.#holdings, voices, this.#circumstances)
    return {
      ...unseenRequest(this.#question),
      ...lookAt([
        ['coverage', () => checkCoverage(this.#holdings, tag)],
        ['signature', () => closing],
      ]),
    }
  }
}

function heldAt(root: Root, { limits }: Circumstances): Holding {
  return holdingOfRoot(root, withDefaults(limits).depth)
}

/** What is held after several links may be too large to write down; the check of the tag then says so. */
function joinOrUndefined(parents: readonly Holding[]): ReturnType<typeof joinHoldings> {
  try {
    return joinHoldings(parents)
  } catch (error) {
    if (isVaultError(error, 'CAPS_TAG_INVALID')) return undefined
    throw error
  }
}

function checkDelegation(parents: readonly Holding[]): Outcome {
  const barred = parents.find(({ left }) => left < 1)
  if (barred === undefined) return { note: `${Math.min(...parents.map(({ left }) => left))} more may follow` }
  const have = principalText(barred.subject)
  if (!barred.delegate) return refuse('CAPS_NOT_DELEGABLE', 'its issuer may not grant it on', { have })
  return refuse('CAPS_TOO_DEEP', 'the chain is as long as it may be', { have: '0', asked: '1' })
}

function meetTags(held: Tag | undefined, granted: Tag): { readonly outcome: Outcome; readonly tag?: Tag } {
  const sides = { have: held === undefined ? 'nothing' : tagText(held), asked: tagText(granted) }
  try {
    const tag = held === undefined ? undefined : meet(held, granted)
    if (tag !== undefined) return { outcome: { note: tagText(tag) }, tag }
    return { outcome: refuse('CAPS_TAG_EMPTY', 'what it grants its issuer does not hold', sides) }
  } catch (error) {
    if (!isVaultError(error, 'CAPS_TAG_INVALID')) throw error
    return { outcome: refuse('CAPS_TOO_LARGE', error.message, sides) }
  }
}

function checkCoverage(holdings: readonly Holding[], asked: Tag): Outcome {
  const short = holdings.find(({ tag }) => !covers(tag, asked))
  if (short === undefined) return { note: tagText(asked) }
  return refuse('CAPS_NOT_COVERED', `${principalText(short.subject)} holds less than what is asked`, {
    have: tagText(short.tag),
    asked: tagText(asked),
  })
}

function unseenCert({ id, record }: OpenCapCert): TraceStep {
  const { issuer, subject, tag, delegate, expires } = record
  return {
    kind: 'certificate',
    id,
    from: principalText(issuer),
    to: principalText(subject),
    tag,
    delegate,
    ...(expires === null ? {} : { expires }),
    checks: [],
  }
}

function unseenRequest({ id, tag, voices }: Question): TraceStep {
  return {
    kind: 'request',
    ...(id === undefined ? {} : { id }),
    from: voices.claimed.join(', '),
    to: '',
    tag,
    checks: [],
  }
}

function passedSteps({ trace }: Verdict): number {
  return trace.filter(({ checks, refusal }) => checks.length > 0 && refusal === undefined).length
}

function withoutRoot(question: Question, proof: readonly OpenCapCert[]): Verdict {
  const [first, ...rest] = proof
  const refusal = refuse('CAPS_NO_ROOT', 'no root begins with its issuer')
  const checks: readonly Check[] = [{ name: 'chain', state: 'failed', note: refusal.message }]
  const steps = first === undefined ? [] : [{ ...unseenCert(first), checks, refusal }, ...rest.map(unseenCert)]
  const last = unseenRequest(question)
  return {
    ok: false,
    code: refusal.code,
    trace: [...steps, first === undefined ? { ...last, checks, refusal } : last],
  }
}
