import type { AuditEntry, Checkpoint } from '@vault/audit-chain'
import { decodeEntry, openCheckpoint, originOf } from '@vault/audit-chain'
import type { KeyState } from '@vault/core'
import { encode, equalBytes, toHex } from '@vault/core'
import { leafHash, verifyConsistency, verifyInclusion } from '@vault/merkle'
import type { Certificate, CertifiedEntry } from './certificate.ts'
import type { CertifiedDocuments } from './check-documents.ts'
import type { Examination } from './examination.ts'

/** Verbs of the two entries, and the beginning of what they are about: `formats/migration-certificate.md`. */
const HANDOFF = 'handoff'
const COMPLETE = 'migration-complete'
const LOG = 'MIGRATION_CERTIFICATE_LOG'
const ENTRY = 'MIGRATION_CERTIFICATE_ENTRY'

/** That the log at the target begins with all of the log at the source, goes on with the hand-off, and has its end. */
export function checkLog(certificate: Certificate, documents: CertifiedDocuments, examination: Examination): void {
  const { vault, audit, handoff: envelope } = certificate
  const { before, after, handoff } = documents
  examination.agree('audit.origin', audit.origin, originOf(vault.id))
  examination.agree('audit.source', audit.source, handoff.checkpoint)
  const source = openNote(audit.source, 'audit.source', before, examination)
  const target = openNote(audit.target, 'audit.target', after, examination)
  if (source !== undefined) {
    examination.agree('handoff.log', handoff.log, { size: source.size, root: toHex(source.root) })
  }
  if (source === undefined || target === undefined) return
  examination.attempt(LOG, 'audit.consistency', () => {
    const claim = { from: source.size, to: target.size, fromRoot: source.root, toRoot: target.root }
    verifyConsistency(claim, audit.consistency)
  })
  const taken = openEntry(audit.handoff, 'audit.handoff', target, examination)
  const { index } = audit.handoff
  examination.require(
    index === source.size,
    LOG,
    'audit.handoff.index',
    'It is not the entry after those of the source.',
  )
  if (taken !== undefined) {
    checkAction(taken, HANDOFF, 'audit.handoff', certificate, examination)
    const { handoff: named } = taken.action.parameters ?? {}
    const same = named instanceof Uint8Array && equalBytes(named, envelope)
    examination.require(same, ENTRY, 'audit.handoff.leaf', 'The entry has another hand-off in it.')
  }
  const complete = openEntry(audit.complete, 'audit.complete', target, examination)
  const last = audit.complete.index
  examination.require(last > index, LOG, 'audit.complete.index', 'The end does not come after the hand-off.')
  if (complete !== undefined) {
    checkAction(complete, COMPLETE, 'audit.complete', certificate, examination)
    checkOutcome(complete, certificate, examination)
  }
}

/** The log of the target says of the migration what the certificate says. */
function checkOutcome({ action }: AuditEntry, certificate: Certificate, examination: Examination): void {
  const { objects, verification } = action.parameters ?? {}
  const { coverage, checked } = certificate.verification
  const said = encode({ objects: objects ?? null, verification: verification ?? null })
  const due = encode({ objects: certificate.statement.counts.objects, verification: { coverage, checked } })
  const message = 'The entry says something else of the objects and of their verification.'
  examination.require(equalBytes(said, due), ENTRY, 'audit.complete.leaf', message)
}

/** A note of the vault's log, signed by as many log keys as the role asked for at the time. */
function openNote(
  note: Uint8Array,
  subject: string,
  { vault, roles }: KeyState,
  examination: Examination,
): Checkpoint | undefined {
  const origin = originOf(vault)
  const keys = roles.log.keys.map((key) => ({ name: origin, key }))
  const opened = examination.attempt(LOG, subject, () => openCheckpoint(note, { origin, keys }))
  if (opened === undefined) return undefined
  const enough = opened.signedBy.length >= roles.log.threshold
  examination.require(enough, LOG, subject, `It needs the signatures of ${roles.log.threshold} log keys.`)
  return opened.checkpoint
}

function openEntry(
  { index, leaf, proof }: CertifiedEntry,
  subject: string,
  { size, root }: Checkpoint,
  examination: Examination,
): AuditEntry | undefined {
  examination.attempt(LOG, `${subject}.proof`, () => {
    verifyInclusion({ index, size, leaf: leafHash(leaf), root }, proof)
  })
  const entry = examination.attempt(ENTRY, `${subject}.leaf`, () => decodeEntry(leaf))
  const placed = entry === undefined || entry.seq === index
  examination.require(placed, ENTRY, `${subject}.leaf`, 'The entry says that it has another index.')
  return entry
}

function checkAction(
  { action }: AuditEntry,
  verb: string,
  subject: string,
  { migration }: Certificate,
  examination: Examination,
): void {
  const same = action.verb === verb && action.object === `migration:${migration}`
  examination.require(same, ENTRY, `${subject}.leaf`, `The entry is not "${verb}" of this migration.`)
}
