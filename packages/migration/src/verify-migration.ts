import type { AbortOptions } from '@vault/core'
import { checkSelection } from './check-selection.ts'
import { checkTarget } from './check-target.ts'
import type { Source, Target } from './endpoint.ts'
import { parseVerification } from './parse-plan.ts'
import type { Plan, Sample, Verification } from './plan.ts'
import type { Report } from './report.ts'
import { coverageOf, Tally } from './report.ts'
import { requireSameParts } from './run-migration.ts'
import { selectEntries } from './selection.ts'
import { sourceStatement } from './source-statement.ts'

export interface VerifyOptions extends AbortOptions {
  /** In place of the plan's verification: a sample of so many rows of each table, the same for the same seed. */
  readonly sample?: Omit<Sample, 'mode'>
}

/**
 * Compares a target with its source as both are now (M072, X07), and reads the content back through the target's own
 * store. Changes nothing. What is wrong is reported, not thrown: a vault that changed since the run is reported too.
 * A source that is not whole is no measure: `MIGRATION_SOURCE_REFUSED`. A sample of too many rows is refused as in a plan.
 */
export async function verifyMigration(
  plan: Plan,
  parts: { readonly source: Source; readonly target: Target },
  options: VerifyOptions = {},
): Promise<Report> {
  const { sample, signal } = options
  signal?.throwIfAborted()
  requireSameParts(plan, parts)
  const verification: Verification = sample === undefined ? plan.verification : { mode: 'sample', ...sample }
  parseVerification(verification)
  const { source, target } = parts
  const held = await target.look(source.vault, { signal })
  const expected = await sourceStatement(source, { signal })
  const tally = new Tally()
  if (plan.select !== undefined) {
    const steps = checkSelection(source.soup, held, selectEntries(source.soup, plan.select), { signal })
    for await (const step of steps) tally.add(step)
    return tally.report(expected, { mode: 'full' })
  }
  const comparison = { source: source.soup, target: held, expected, verification }
  for await (const step of checkTarget(comparison, { signal })) tally.add(step)
  return tally.report(expected, coverageOf(verification, expected.counts))
}
