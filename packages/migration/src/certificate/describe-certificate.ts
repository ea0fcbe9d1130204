import { parseCheckpoint, parseNote } from '@vault/audit-chain'
import type { Roles } from '@vault/core'
import { decodeEnvelope, verifyKeyHistory } from '@vault/core'
import { decodePlan } from '../parse-plan.ts'
import { parseHandoff } from '../records/handoff.ts'
import { missProbability } from '../sample.ts'
import type { Certificate } from './certificate.ts'
import type { CertificateVerdict } from './verify-certificate.ts'

/**
 * A certificate and its verdict for people: what was proven, and what was not. Lines of plain text without control
 * characters; texts that come from the certificate stand in quotation marks. Of an inconsistent one it says only what is
 * wrong with it: nothing else in it is to be believed.
 */
export function describeCertificate(certificate: Certificate, verdict: CertificateVerdict): string {
  const lines = verdict.consistent ? describeConsistent(certificate, verdict) : describeFaulty(certificate, verdict)
  return lines.map((line) => `${line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')}\n`).join('')
}

function describeFaulty({ migration }: Certificate, { findings }: CertificateVerdict): readonly string[] {
  return [
    `REFUSED: the certificate of the migration ${migration} is not consistent. Nothing in it is proven.`,
    ...findings.map(({ code, subject, message }) => `  ${code} ${subject ?? ''}: ${message}`),
  ]
}

function describeConsistent(certificate: Certificate, verdict: CertificateVerdict): readonly string[] {
  const plan = decodePlan(certificate.plan)
  const handoff = parseHandoff(decodeEnvelope(certificate.handoff).payload)
  const { transfer, statement, times } = certificate
  const { objects, bytes, entries } = statement.counts
  return [
    verdict.trusted
      ? 'TRUSTED: consistent, and of a vault that you trust.'
      : 'CONSISTENT, NOT TRUSTED: all that it says agrees, and nothing that you gave vouches for the vault.',
    ...(verdict.trusted ? [] : verdict.findings.map(({ message }) => `  ${message}`)),
    '',
    `vault       ${certificate.vault.id}`,
    `migration   ${certificate.migration}${plan.reason === undefined ? '' : `, for ${plan.reason}`}`,
    `from        ${JSON.stringify(plan.source.label)}, place ${handoff.from.instance}`,
    `to          ${JSON.stringify(plan.target.label)}, place ${handoff.to.instance}, epoch ${handoff.epoch}`,
    `planned     ${timeOf(times.planned)}`,
    `handed off  ${timeOf(times.handed_off)}`,
    `completed   ${timeOf(times.completed)}`,
    `content     ${objects} objects, ${bytes} bytes, ${entries} entries`,
    `objects     root ${statement.roots.objects}`,
    `entries     root ${statement.roots.soup}`,
    `sent        ${transfer.objects} objects, ${transfer.bytes} bytes, ${transfer.entries} entries in ${transfer.batches} batches and ${transfer.rounds} rounds`,
    '',
    'Proven by signatures and hashes in this file:',
    '  - The keys of the vault follow from its first key event, from which its id is made.',
    '  - The source gave the vault away: its log key and its place signed the same hand-off, for this target alone.',
    '  - The target said before that it holds exactly this content, by both roots, and this audit log.',
    `  - The audit log at the target begins with all ${handoff.log.size} entries of the source, goes on with the hand-off, and records the end of the migration.`,
    `  - ${describeKeys(certificate)}`,
    'Not proven, only claimed by those who signed:',
    ...claims(certificate).map((line) => `  - ${line}`),
  ]
}

function describeKeys({ key_events }: Certificate): string {
  const { events } = verifyKeyHistory(key_events.map((bytes) => decodeEnvelope(bytes)))
  const [before, now] = events.slice(-2).map(({ roles }) => roles) as [Roles, Roles]
  const names = ['identity', 'operators', 'log'] as const
  const kept = names.filter((name) => now[name].keys.some((key) => before[name].keys.includes(key)))
  const keptLine = kept.length === 0 ? 'no key stays in its role' : `keys stay in the roles ${kept.join(', ')}`
  return `The old identity and every new key signed that the vault goes to this target, by this migration; ${keptLine}.`
}

function claims(certificate: Certificate): readonly string[] {
  const { possession, statement, audit } = certificate
  const { size } = parseCheckpoint(parseNote(audit.target).text)
  return [
    'The place that the vault left: only the log key of the source vouches for it.',
    ...describeCoverage(certificate),
    possession.mode === 'none'
      ? 'Possession: the target gave no proof that it stored what it acknowledged, beyond what was read back.'
      : `Possession: the target signed ${possession.acks} proofs that it had objects at hand; ${possession.sample.length} are in this file and can be checked with the objects.`,
    'Authority: delegations to other keys are not compared in this file; the entry authority-diff of the log says which hold, where the source judged them.',
    'Witnesses: nobody but source and target has signed.',
    ...earlierMoves(certificate),
    'Times are by the clocks of source and target.',
    `Since then: it says what the vault was at ${statement.sequence} changes and ${size} entries of its log, not what it is today.`,
  ]
}

function describeCoverage({ verification, statement }: Certificate): readonly string[] {
  const { coverage, checked } = verification
  const read = `${checked.objects} objects, ${checked.bytes} bytes and ${checked.entries} entries were read back and compared`
  if (coverage.mode === 'proven') {
    return [
      `Verification: full; ${checked.objects} objects, ${checked.bytes} bytes and ${checked.entries} entries were compared.`,
      `  ${coverage.objects} of the objects were hashed by the target, in signed proofs over a nonce and its own key that the source held against its own bytes; the rest was read back. They show that the target had the bytes at hand then, and not on which disk.`,
    ]
  }
  if (coverage.mode !== 'sample') return [`Verification: full; ${read}.`]
  const { objects } = statement.counts
  const misses = [1, 10, 100].map((bad) => `${bad}: ${missProbability(objects, coverage.size, bad).toPrecision(3)}`)
  return [
    `Verification: a sample of ${coverage.size} with the seed ${JSON.stringify(coverage.seed)}; ${read}.`,
    `  It misses so many bad objects with this probability: ${misses.join(', ')}.`,
  ]
}

/** The hand-offs of moves before this one are not in the certificate: their key events stand on the signatures alone. */
function earlierMoves({ key_events }: Certificate): readonly string[] {
  const { events } = verifyKeyHistory(key_events.map((bytes) => decodeEnvelope(bytes)))
  const earlier = events.slice(0, -1).filter(({ why }) => why === 'migrate').length
  return earlier === 0 ? [] : [`Earlier moves: ${earlier}; their hand-offs are in their own certificates.`]
}

/** Seconds since 1970 as a date; a number that no date has as it is. */
function timeOf(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString().replace('.000Z', 'Z')
}
