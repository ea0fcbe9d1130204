import type { ContentId, Envelope } from '@vault/core'
import { isVaultError, reasonOf } from '@vault/core'
import type { OpenCapRequest } from './cap-request.ts'
import { CAP_REQUEST, openCapRequest } from './cap-request.ts'
import { timeText } from './check-cert.ts'
import type { Circumstances } from './circumstances.ts'
import { withDefaults } from './limits.ts'
import type { NonceLedger } from './nonce-ledger.ts'
import type { OpenProofCert } from './proof-cert.ts'
import { openProofCert } from './proof-cert.ts'
import type { Opened } from './record.ts'
import { secondsOf } from './record.ts'
import { reduce } from './reduce.ts'
import type { Outcome } from './refusal.ts'
import { lookAt, refuse } from './refusal.ts'
import type { TraceStep, Verdict } from './trace.ts'
import { askedTag } from './vault-tag.ts'
import { envelopeVoices } from './voices.ts'

/** A signed request, the certificates that are to show that it is granted, and what whoever is asked goes by. */
export interface AuthorizeInput extends Circumstances {
  readonly request: Envelope
  /**
   * Each certificate after those that grant to its issuer, each name certificate after those that grant to the name; the first one is issued
   * by the subject of a root.
   */
  readonly proof: readonly Envelope[]
  /** Who is asked. */
  readonly audience: ContentId
  /** A request is taken at the very end, so one that is refused may be sent again with another proof. */
  readonly nonces: NonceLedger
}

/**
 * Whether a signed request is granted by its proof. Fails closed; nothing from outside makes it throw. The answer has the
 * whole chain with what was seen of each link, and the first thing that is wrong with both sides of the comparison.
 */
export function authorize(input: AuthorizeInput): Verdict {
  const { request, proof, audience, nonces, now } = input
  const { certificates, signatures } = withDefaults(input.limits)
  const isLong = proof.length > certificates
  if (isLong || [request, ...proof].some((envelope) => envelope.signatures.length > signatures)) {
    return alone('CAPS_TOO_LARGE', `more than ${certificates} certificates or ${signatures} signatures on one`)
  }
  const opened = openOr(request, openCapRequest)
  if ('verdict' in opened) return opened.verdict
  const certs: OpenProofCert[] = []
  for (const envelope of proof) {
    const cert = openOr(envelope, openProofCert)
    if ('verdict' in cert) return cert.verdict
    certs.push(cert)
  }

  const { action, object, args, expires } = opened.record
  const asked = askedTag(action, object, args)
  const front = lookAt([
    ['audience', () => checkAudience(opened, audience)],
    ['validity', () => checkTime(opened, now)],
  ])
  const voices = envelopeVoices(CAP_REQUEST, request)
  const step: TraceStep = {
    kind: 'request',
    id: opened.id,
    from: voices.claimed.join(', '),
    to: audience,
    tag: asked,
    ...front,
  }
  if (step.refusal !== undefined) return { ok: false, code: step.refusal.code, trace: [step] }

  const verdict = reduce({ action, tag: asked, voices, id: opened.id }, certs, input)
  const trace = verdict.trace.map((each) =>
    each.kind === 'request' ? { ...each, to: audience, checks: [...front.checks, ...each.checks] } : each,
  )
  if (!verdict.ok) return { ...verdict, trace }
  const taken = lookAt([['replay', () => takeNonce(nonces, opened.id, expires, now)]])
  const last = trace.at(-1) as TraceStep
  const whole = [...trace.slice(0, -1), { ...last, ...taken, checks: [...last.checks, ...taken.checks] }]
  if (taken.refusal !== undefined) return { ok: false, code: taken.refusal.code, trace: whole }
  const { effective } = verdict
  return {
    ok: true,
    trace: whole,
    effective: { ...effective, expires: Math.min(effective.expires ?? expires, expires) },
  }
}

function openOr<T extends Opened<unknown>>(
  envelope: Envelope,
  open: (envelope: Envelope) => T,
): T | { readonly verdict: Verdict } {
  try {
    return open(envelope)
  } catch (error) {
    if (!isVaultError(error)) throw error
    return { verdict: alone('CAPS_MALFORMED', reasonOf(error)) }
  }
}

/** A refusal before there is anything to trace. */
function alone(code: 'CAPS_TOO_LARGE' | 'CAPS_MALFORMED', message: string): Verdict {
  const step: TraceStep = { kind: 'request', from: '', to: '', checks: [], refusal: refuse(code, message) }
  return { ok: false, code, trace: [step] }
}

function checkAudience({ record }: OpenCapRequest, audience: ContentId): Outcome {
  if (record.audience.id === audience) return { note: 'for whom it is meant' }
  return refuse('CAPS_AUDIENCE', 'it is meant for another', { have: audience, asked: record.audience.id })
}

function checkTime({ record }: OpenCapRequest, now: Date): Outcome {
  const seconds = secondsOf(now)
  const [have, at, until] = [timeText(seconds), timeText(record.at), timeText(record.expires)]
  if (seconds < record.at) return refuse('CAPS_NOT_YET', `made at ${at}, which is later`, { have, asked: at })
  if (seconds >= record.expires) return refuse('CAPS_EXPIRED', `expired at ${until}`, { have, asked: until })
  return { note: `until ${until}` }
}

function takeNonce(nonces: NonceLedger, request: ContentId, expires: number, now: Date): Outcome {
  switch (nonces.take(request, expires, secondsOf(now))) {
    case 'taken':
      return { note: 'not seen before' }
    case 'seen':
      return refuse('CAPS_REPLAY', 'the request was taken before')
    case 'full':
      return refuse('CAPS_NONCES_FULL', 'too many requests are remembered')
  }
}
