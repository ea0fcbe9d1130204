import type { Finding, KeyId } from '@vault/core'
import { equalBytes } from '@vault/core'
import type { Opened } from '../record.ts'
import type { Attestation } from './attestation.ts'
import type { CeremonyFile, DocumentKind } from './ceremony-file.ts'
import { COMMIT_FILE, fileNameOf, kindOf, PLAN_FILE } from './ceremony-file.ts'
import type { Commit, Documents } from './commit.ts'
import { readCommit } from './commit.ts'
import type { CeremonyFindingCode } from './error.ts'
import { FileRefusal, planInvalid } from './error.ts'
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
  const findings: Finding[] = []
  const kinds = (kind: DocumentKind) => seen.filter(({ name }) => kindOf(name) === kind)
  const contributions = collect(kinds('contrib'), 'contrib', (bytes) => readContribution(bytes, open), findings)
  const receipts = collect(kinds('receipt'), 'receipt', (bytes) => readReceipt(bytes, open, contributions), findings)
  const documents = { contributions, receipts }
  const commit = commitIn(seen, open, documents, findings)
  const attestations = collect(kinds('attest'), 'attest', (bytes) => readAttestation(bytes, open, commit), findings)
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

/** The documents of one kind that count, by the key of their member. */
function collect<T extends { readonly key: KeyId }>(
  files: readonly CeremonyFile[],
  kind: DocumentKind,
  read: (bytes: Uint8Array) => Opened<T>,
  findings: Finding[],
): ReadonlyMap<KeyId, Opened<T>> {
  const claims = new Map<KeyId, { readonly file: CeremonyFile; readonly opened: Opened<T> }[]>()
  for (const file of files) {
    const opened = attempt(file, () => read(file.bytes), findings)
    if (opened === undefined) continue
    claims.set(opened.record.key, [...(claims.get(opened.record.key) ?? []), { file, opened }])
  }
  const counted = new Map<KeyId, Opened<T>>()
  for (const [key, [first, ...others]] of claims) {
    if (first === undefined) continue
    const refuse = (code: CeremonyFindingCode, reason: string, name: string) =>
      findings.push(new FileRefusal(code, reason).finding(name))
    if (others.some(({ file }) => !equalBytes(file.bytes, first.file.bytes))) {
      for (const { file } of [first, ...others])
        refuse(
          'CEREMONY_TWICE',
          `${key} has made several, which is evidence against its holder; none counts`,
          file.name,
        )
      continue
    }
    counted.set(key, first.opened)
    for (const { file } of [first, ...others]) {
      if (file.name !== fileNameOf(kind, key))
        refuse('CEREMONY_FILE_NAME', `it is the document of ${key}, whose file is ${fileNameOf(kind, key)}`, file.name)
    }
  }
  return counted
}

function commitIn(
  files: readonly CeremonyFile[],
  open: OpenPlan,
  documents: Documents,
  findings: Finding[],
): Commit | undefined {
  const file = files.find(({ name }) => name === COMMIT_FILE)
  if (file === undefined) return undefined
  return attempt(
    file,
    () => {
      const commit = readCommit(file.bytes, open, documents)
      if (owedBefore(open, commit.documents).length === 0) return commit
      throw new FileRefusal('CEREMONY_COMMIT_INVALID', 'it was made before all was there that the plan asks for')
    },
    findings,
  )
}

function attempt<T>(file: CeremonyFile, read: () => T, findings: Finding[]): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof FileRefusal)) throw error
    findings.push(error.finding(file.name))
    return undefined
  }
}
