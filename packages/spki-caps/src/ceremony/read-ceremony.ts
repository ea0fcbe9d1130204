import type { Finding, KeyId } from '@vault/core'
import { decodeEnvelope, encodeEnvelope, followKeyState, isVaultError, verifyInception } from '@vault/core'
import type { Opened } from '../record.ts'
import type { Attestation } from './attestation.ts'
import type { CeremonyFile } from './ceremony-file.ts'
import { COMMIT_FILE, kindOf, PLAN_FILE } from './ceremony-file.ts'
import { attemptFile, collectDocuments } from './collect-documents.ts'
import type { Commit, Documents } from './commit.ts'
import { namedIn, readCommit } from './commit.ts'
import { checkFile, FileRefusal, planInvalid } from './error.ts'
import type { OpenPlan } from './open-plan.ts'
import { openPlan } from './open-plan.ts'
import type { Owed } from './owed.ts'
import { owedAfter, owedBefore } from './owed.ts'
import { readAttestation, readContribution, readReceipt } from './read-document.ts'

/** How far a ceremony is, by its files alone. */
export interface Ceremony extends OpenPlan, Documents {
  readonly commit?: Commit
  readonly attestations: ReadonlyMap<KeyId, Opened<Attestation>>
  /** Why files were refused, each by its name. */
  readonly findings: readonly Finding[]
  /** What is owed before it goes on. */
  readonly owed: readonly Owed[]
  readonly phase: CeremonyPhase
}

export type CeremonyPhase =
  /** Contributions or receipts are owed; nothing has changed for anybody. */
  | 'open'
  /** All is there, and may be committed. */
  | 'ready'
  /** Committed; attestations are owed. */
  | 'committed'
  | 'complete'

/**
 * A ceremony from the files of its folder, in any order; names that begin with a dot are no part of it. The files come from anyone: what
 * does not hold is refused, by name, and counts for nothing. Throws `CEREMONY_PLAN_INVALID` where there is no plan.
 */
export function readCeremony(files: readonly CeremonyFile[]): Ceremony {
  const seen = files.filter(({ name }) => !name.startsWith('.'))
  const open = openPlan(seen.find(({ name }) => name === PLAN_FILE)?.bytes ?? missingPlan())
  const { documents, commit, findings } = readBefore(seen, open)
  const attestations = collectDocuments(
    seen,
    { kind: 'attest', read: (bytes) => readAttestation(bytes, open, commit), choose: earliest },
    findings,
  )
  for (const { name } of seen) {
    if (name === PLAN_FILE || name === COMMIT_FILE || kindOf(name) !== undefined) continue
    findings.push(new FileRefusal('CEREMONY_FILE_UNKNOWN', 'a ceremony has no such file').finding(name))
  }
  const before = owedBefore(open, documents)
  const after = owedAfter(open, attestations)
  const committed = after.length > 0 ? 'committed' : 'complete'
  const uncommitted = before.length > 0 ? 'open' : 'ready'
  return {
    ...open,
    ...documents,
    attestations,
    findings: findings.sort((a, b) => ((a.subject ?? '') < (b.subject ?? '') ? -1 : 1)),
    ...(commit && { commit }),
    owed: commit === undefined ? before : after,
    phase: commit === undefined ? uncommitted : committed,
  }
}

function missingPlan(): never {
  throw planInvalid(`there is no ${PLAN_FILE} in the folder`)
}

/** What the files say before the attestations. */
interface Before {
  readonly documents: Documents
  readonly commit?: Commit
  readonly findings: Finding[]
}

function readBefore(files: readonly CeremonyFile[], open: OpenPlan): Before {
  const file = files.find(({ name }) => name === COMMIT_FILE)
  const findings: Finding[] = []
  const committed = file && attemptFile(file, () => readCommitted(file, files, open), findings)
  // A commit that does not hold says nothing of the others.
  return committed ?? { documents: documentsIn(files, open, findings, () => undefined), findings }
}

/** Of several documents of one member that one counts which the commit names: a second one that came later undoes nothing. */
function readCommitted(file: CeremonyFile, files: readonly CeremonyFile[], open: OpenPlan): Before {
  const findings: Finding[] = []
  const named = namedIn(file.bytes)
  const documents = documentsIn(files, open, findings, (several) => several.find(({ id }) => named.has(id)))
  const commit = readCommit(file.bytes, open, documents)
  checkFile(
    owedBefore(open, commit.documents).length === 0,
    'CEREMONY_COMMIT_INVALID',
    'it was made before all was there that the plan asks for',
  )
  checkFile(isTaken(open, commit), 'CEREMONY_COMMIT_INVALID', 'its key event is none that a vault takes')
  return { documents, commit, findings }
}

/** Whether the key event follows, by the rules of whoever adopts it. That of a move lacks the signatures of the place that receives. */
function isTaken({ plan, event }: OpenPlan, { keyEvent }: Commit): boolean {
  if (event === undefined || keyEvent === undefined || plan.change?.why === 'migrate') return true
  try {
    const read = decodeEnvelope(encodeEnvelope(keyEvent))
    if (event.before === undefined) verifyInception(read)
    else followKeyState(event.before, read)
    return true
  } catch (error) {
    if (!isVaultError(error)) throw error
    return false
  }
}

function documentsIn(
  files: readonly CeremonyFile[],
  open: OpenPlan,
  findings: Finding[],
  choose: <T>(several: readonly Opened<T>[]) => Opened<T> | undefined,
): Documents {
  const contributions = collectDocuments(
    files,
    { kind: 'contrib', read: (bytes) => readContribution(bytes, open), choose },
    findings,
  )
  const receipts = collectDocuments(
    files,
    { kind: 'receipt', read: (bytes) => readReceipt(bytes, open, contributions), choose },
    findings,
  )
  return { contributions, receipts }
}

/** All attestations that are read are of the same commit: a witness who says it again takes nothing back. */
function earliest(several: readonly Opened<Attestation>[]): Opened<Attestation> | undefined {
  return several.toSorted((a, b) => a.record.at - b.record.at || (a.id < b.id ? -1 : 1))[0]
}
