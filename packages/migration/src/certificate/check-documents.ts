import type { Envelope, KeyEvent, KeyState } from '@vault/core'
import { contentId, decodeEnvelope, link, verifyKeyHistory } from '@vault/core'
import { decodePlan } from '../parse-plan.ts'
import type { Plan } from '../plan.ts'
import type { Acceptance } from '../records/acceptance.ts'
import { verifyAcceptance } from '../records/acceptance.ts'
import type { Handoff } from '../records/handoff.ts'
import { parseHandoff, verifyHandoff } from '../records/handoff.ts'
import type { Ready } from '../records/ready.ts'
import { readyId, verifyReady } from '../records/ready.ts'
import { requireRoles } from '../records/roles-rule.ts'
import type { Certificate } from './certificate.ts'
import type { Examination } from './examination.ts'

/** The documents in a certificate, each sound by itself and signed. */
export interface CertifiedDocuments {
  readonly plan: Plan
  /** The keys of the vault until the hand-off. */
  readonly before: KeyState
  /** The keys of the vault from then on. */
  readonly after: KeyState
  readonly acceptance: Acceptance
  readonly ready: Ready
  readonly handoff: Handoff
}

/** The documents, where all of them are sound; what is not, is reported. */
export function checkDocuments(certificate: Certificate, examination: Examination): CertifiedDocuments | undefined {
  const vault = certificate.vault.id
  const { migration } = certificate
  const invalid = 'MIGRATION_CERTIFICATE_INVALID'
  const plan = examination.attempt(invalid, 'plan', () => decodePlan(certificate.plan))
  const claimed = examination.attempt(invalid, 'handoff', () =>
    parseHandoff(decodeEnvelope(certificate.handoff).payload),
  )
  if (claimed === undefined) return undefined
  const keys = checkKeys(certificate, examination)
  if (keys === undefined) return undefined
  const handoff = examination.attempt(invalid, 'handoff', () => {
    return verifyHandoff(decodeEnvelope(certificate.handoff), { history: keys.before })
  })
  const { instance, place } = claimed.to
  const acceptance = examination.attempt(invalid, 'acceptance', () => {
    const planId = contentId(certificate.plan, { hash: 'sha2-256', codec: 'dag-cbor' })
    const expected = { vault, migration, plan: planId, instance, place }
    return verifyAcceptance(decodeEnvelope(certificate.acceptance), expected)
  })
  const ready = examination.attempt(invalid, 'ready', () => {
    return verifyReady(decodeEnvelope(certificate.ready), { vault, migration, instance, place })
  })
  if (plan === undefined || handoff === undefined || acceptance === undefined || ready === undefined) return undefined
  const documents = { plan, ...keys, acceptance, ready, handoff }
  checkAgreement(certificate, documents, examination)
  return documents
}

function checkKeys(
  { vault, key_events }: Certificate,
  examination: Examination,
): Pick<CertifiedDocuments, 'before' | 'after'> | undefined {
  const code = 'MIGRATION_CERTIFICATE_KEYS'
  const history = examination.attempt(code, 'key_events', () => {
    const envelopes: readonly Envelope[] = key_events.map((bytes) => decodeEnvelope(bytes))
    const after = verifyKeyHistory(envelopes)
    return { after, before: stateBefore(after) }
  })
  if (history === undefined) return undefined
  examination.require(
    history.after.vault === vault.id,
    code,
    'key_events',
    'The key events are those of another vault.',
  )
  return history
}

/** The keys before the last of at least two events, without verifying all of them again. */
function stateBefore(after: KeyState): KeyState {
  const events = after.events.slice(0, -1)
  const [before, last] = after.events.slice(-2) as [KeyEvent, KeyEvent]
  return { ...after, seq: before.seq, head: last.prev.id, roles: before.roles, events }
}

function checkAgreement(certificate: Certificate, documents: CertifiedDocuments, examination: Examination): void {
  const { plan, after, acceptance, ready, handoff } = documents
  const { vault, migration, statement, times } = certificate
  examination.agree('plan.kind', plan.kind, 'full')
  examination.agree('plan.migration_id', plan.migration_id, migration)
  examination.agree('plan.source.vault', plan.source.vault, vault.id)
  examination.agree('handoff.vault', handoff.vault, vault)
  examination.agree('handoff.migration', handoff.migration, migration)
  examination.agree('handoff.plan', handoff.plan, acceptance.plan)
  examination.agree('handoff.nonce', handoff.nonce, acceptance.nonce)
  examination.agree('ready.nonce', ready.nonce, acceptance.nonce)
  examination.agree('handoff.ready', handoff.ready, link(readyId(ready)))
  examination.agree('handoff.log', handoff.log, ready.log)
  examination.agree('handoff.statement', handoff.statement, ready.statement)
  examination.agree('statement', statement, handoff.statement)
  examination.agree('times.handed_off', times.handed_off, handoff.at)
  const apart = handoff.from.instance !== handoff.to.instance && handoff.from.place !== handoff.to.place
  const code = 'MIGRATION_CERTIFICATE_DISAGREES'
  examination.require(apart, code, 'handoff.to', 'The hand-off is from a place to itself.')
  checkTransition(documents, examination)
  const moves = after.events.filter(({ why }) => why === 'migrate').length
  const message = `The keys of the vault were replaced by ${moves} moves, so it is not in epoch ${handoff.epoch}.`
  examination.require(handoff.epoch >= moves, code, 'handoff.epoch', message)
}

/**
 * The key event that takes effect with the hand-off is the one that the place asked for, made for this very move. With it the
 * identity consented: the log key, which is online, cannot give a vault away alone.
 */
function checkTransition(documents: CertifiedDocuments, examination: Examination): void {
  const { plan, before, after, acceptance, handoff } = documents
  const code = 'MIGRATION_CERTIFICATE_DISAGREES'
  examination.agree('handoff.key_event', handoff.key_event, link(after.head))
  examination.agree('acceptance.roles', acceptance.roles, after.roles)
  const event = after.events.at(-1)
  const made = event?.why === 'migrate' ? event.context : null
  examination.agree('key_events.context', made, { migration: handoff.migration, instance: handoff.to.instance })
  const asked = plan.handoff
  if (asked === undefined) examination.report(code, 'plan.handoff', 'The plan asks for a copy alone.')
  else examination.attempt(code, 'key_events', () => requireRoles(asked.keys, before.roles, after.roles))
}
