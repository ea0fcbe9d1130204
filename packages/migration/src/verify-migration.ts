import type { AbortOptions, Random } from '@vault/core'
import { systemRandom } from '@vault/core'
import { checkSelection } from './check-selection.ts'
import { checkTarget } from './check-target.ts'
import { askedOf, ContentCheck } from './content-check.ts'
import type { Source, Target } from './endpoint.ts'
import { parseVerification } from './parse-plan.ts'
import type { Plan, Sample, Verification } from './plan.ts'
import type { Report } from './report.ts'
import { Tally } from './report.ts'
import { requireSameParts } from './run-migration.ts'
import { selectEntries } from './selection.ts'
import { sourceStatement } from './source-statement.ts'

export interface VerifyOptions extends AbortOptions {
  /** In place of the plan's verification: a sample of so many rows of each table, the same for the same seed. */
  readonly sample?: Omit<Sample, 'mode'>
  /** Reads everything back from a target that could prove by itself that it has it. */
  readonly reread?: boolean
  readonly random?: Random
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
  const { sample, reread = false, random = systemRandom, signal } = options
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
  const { vault } = source
  const request = { vault, migration: plan.migration_id, random, verification, reread }
  const content = new ContentCheck({ source: source.objects, target: held.objects, ...askedOf(target, request) })
  const comparison = { source: source.soup, target: held, expected, verification, content }
  for await (const step of checkTarget(comparison, { signal })) tally.add(step)
  return tally.report(expected, content.coverage(verification, expected.counts))
}
