import { countSigners, decodeEnvelope } from '@vault/core'
import type { Possession } from '../records/possession.ts'
import { parsePossession } from '../records/possession.ts'
import { requireFields } from '../records/record.ts'
import { missProbabilities } from '../sample.ts'
import type { Certificate } from './certificate.ts'
import type { CertifiedDocuments } from './check-documents.ts'
import type { Examination } from './examination.ts'

const COUNTS = 'MIGRATION_CERTIFICATE_COUNTS'

/** That the verification covered what the plan asks for and what it says, and that nothing is more than it can be. */
export function checkNumbers(certificate: Certificate, documents: CertifiedDocuments, examination: Examination): void {
  checkVerification(certificate, documents, examination)
  const { objects, bytes, entries, rounds, batches } = certificate.transfer
  const bySomething = batches > 0 || objects + entries === 0
  examination.require(bySomething, COUNTS, 'transfer.batches', 'What was sent came in no batch.')
  const inARound = rounds > 0 || batches === 0
  examination.require(inARound, COUNTS, 'transfer.rounds', 'Batches were sent in no round.')
  const ofSomething = objects > 0 || bytes === 0
  examination.require(ofSomething, COUNTS, 'transfer.bytes', 'Bytes were sent of no object.')
  checkPossession(certificate, documents, examination)
  const { planned, handed_off, completed } = certificate.times
  const ordered = planned <= handed_off && handed_off <= completed
  examination.require(ordered, 'MIGRATION_CERTIFICATE_TIMES', 'times', 'The times are not in order.')
}

function checkVerification(
  { verification, statement }: Certificate,
  { plan }: CertifiedDocuments,
  examination: Examination,
): void {
  const { coverage, checked, findings } = verification
  const { objects, bytes, entries } = statement.counts
  examination.require(findings === 0, COUNTS, 'verification.findings', 'The verification found differences.')
  const asked = plan.verification
  const covered =
    coverage.mode === 'full' ||
    (coverage.mode === 'proven' && coverage.objects > 0 && coverage.objects <= checked.objects) ||
    (coverage.mode === 'sample' &&
      asked.mode === 'sample' &&
      coverage.size === asked.size &&
      coverage.seed === asked.seed)
  const message = 'Less was verified than the plan asks for.'
  examination.require(covered, COUNTS, 'verification.coverage', message)
  if (coverage.mode === 'sample') {
    const { missProbability } = coverage
    const reckoned = missProbabilities(objects, coverage.size)
    examination.agree('verification.coverage.missProbability', missProbability, reckoned)
  }
  const least = coverage.mode === 'sample' ? coverage.size : Number.POSITIVE_INFINITY
  const enough =
    checked.objects >= Math.min(objects, least) &&
    checked.entries >= Math.min(entries, least) &&
    (coverage.mode === 'sample' || checked.bytes >= bytes)
  examination.require(enough, COUNTS, 'verification.checked', 'Less was verified than the coverage says.')
}

/** That each proof in the sample was made by the receiving place for this migration. Without the objects it shows no more. */
function checkPossession(certificate: Certificate, { acceptance }: CertifiedDocuments, examination: Examination): void {
  const { possession, transfer, migration } = certificate
  if (possession.mode === 'none') return
  const { acks, sample } = possession
  const possible = sample.length <= acks && acks <= transfer.batches
  examination.require(possible, COUNTS, 'possession.acks', 'There are not as many proofs, or not as many batches.')
  const batches = new Set<number>()
  for (const [i, bytes] of sample.entries()) {
    const subject = `possession.sample[${i}]`
    const proof: Possession | undefined = examination.attempt('MIGRATION_CERTIFICATE_INVALID', subject, () => {
      const envelope = decodeEnvelope(bytes)
      const parsed = parsePossession(envelope.payload)
      requireFields(parsed, { vault: certificate.vault.id, migration })
      countSigners(envelope, parsed.type, { keys: [acceptance.place], threshold: 1 })
      return parsed
    })
    if (proof === undefined) continue
    const { batch } = proof
    const own = batch >= 1 && batch <= transfer.batches && !batches.has(batch)
    examination.require(own, COUNTS, `${subject}.batch`, 'It is of no batch, or a second proof of one.')
    batches.add(batch)
  }
}
