import type { AbortOptions } from '@vault/core'
import { VaultError } from '@vault/core'
import type { Statement } from '@vault/transfer'
import type { Receiving, Source } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'
import type { MigrationEvent } from './event.ts'
import type { FindingList } from './finding-list.ts'
import type { Ledger } from './progress.ts'
import type { CheckStep, Coverage, Report, Tally } from './report.ts'

/** What the phases of one run share. */
export interface Run {
  readonly migration: string
  readonly source: Source
  readonly target: { readonly label: string }
  readonly receiving: Omit<Receiving, 'finish'>
  readonly ledger: Ledger
  readonly tally: Tally
  readonly options: AbortOptions
}

/** Adds a step of a verification up, and tells of it. */
export function noted({ tally, ledger }: Run, step: CheckStep): MigrationEvent {
  tally.add(step)
  if (step.type === 'finding') return step
  return { type: 'checked', progress: ledger.verified(tally.checked) }
}

/** What was verified. */
export interface Verified {
  readonly statement: Statement
  /** The target's latest change when it was found to be what the statement says. */
  readonly sequence: number
  readonly coverage: Coverage
}

/** The end of a run that leaves a copy: refuses what did not verify, finishes at the target, and sums up. */
export async function* complete(
  run: Run & { readonly receiving: Receiving },
  { statement, sequence, coverage }: Verified,
): AsyncGenerator<MigrationEvent> {
  const { migration, receiving, ledger, options } = run
  const verification = verdict(run, statement, coverage)
  const tenure = await receiving.finish(sequence, options)
  yield { type: 'phase', phase: 'complete' }
  const { rounds, sent } = ledger
  const summary = { migration_id: migration, phase: 'complete', statement, rounds, sent, verification, tenure } as const
  yield { type: 'summary', summary }
}

/** What a run has verified. Throws `MIGRATION_VERIFICATION_FAILED`. */
export function verdict({ migration, target, tally }: Run, statement: Statement, coverage: Coverage): Report {
  const report = tally.report(statement, coverage)
  if (report.ok) return report
  const { findings, omitted } = report
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_VERIFICATION_FAILED',
    message: `The target ${target.label} is not what the source is: ${findings[0]?.message} ${findings.length + omitted} findings in all. Nothing was activated; run again, or choose another target.`,
    details: { migration, findings, omitted },
  })
}

/** Ends a run whose source cannot give what it has under charge. */
export function sourceDamaged({ migration, source }: Run, lost: FindingList): VaultError<MigrationErrorCode> {
  const { findings, omitted } = lost.summary
  return new VaultError({
    code: 'MIGRATION_SOURCE_DAMAGED',
    message: `${lost.count} objects of the source ${source.label} cannot be read, the first is ${findings[0]?.subject}. Everything else was sent. Restore them there from another copy, then run again.`,
    details: { migration, findings, omitted },
  })
}
