import type { ContentId } from '@vault/core'
import type { Statement } from '@vault/transfer'
import { copyObjects } from '@vault/transfer'
import { checkObjects, checkTarget } from './check-target.ts'
import type { ContentCheck } from './content-check.ts'
import type { MigrationFindingCode } from './error.ts'
import type { MigrationEvent } from './event.ts'
import type { Verification } from './plan.ts'
import type { CheckStep } from './report.ts'
import type { Run } from './run.ts'
import { noted } from './run.ts'

// More objects that do not read back are no accident but a broken store.
const REPAIRABLE = 4_096

/**
 * Verifies what was received, against the statement that it reached. Differences are found by comparing what is under
 * charge, so an object that is there and does not read back would never be sent again: it is sent again here, once.
 */
export async function* verifyReceived(
  run: Run & { readonly content: ContentCheck },
  expected: Statement,
  verification: Verification,
): AsyncGenerator<MigrationEvent> {
  const { source, receiving, content, options } = run
  const suspects: ContentId[] = []
  const comparison = { source: source.soup, target: receiving, expected, verification, content }
  for await (const step of checkTarget(comparison, options)) {
    const suspect = unreadable(step)
    if (suspect === undefined || suspects.length === REPAIRABLE) yield noted(run, step)
    else suspects.push(suspect)
  }
  if (suspects.length > 0) yield* repair(run, suspects)
}

async function* repair(run: Run, suspects: readonly ContentId[]): AsyncGenerator<MigrationEvent> {
  const { migration, source, receiving, options } = run
  const copied = copyObjects(source, receiving, [suspects], { ...options, migration })
  for await (const { lost } of copied) for (const finding of lost) yield noted(run, { type: 'finding', finding })
  const failed = new Set<ContentId>()
  for await (const step of checkObjects(receiving.objects, suspects, options)) {
    const id = unreadable(step)
    if (id === undefined) {
      // They were counted the first time, and their bytes, which could not be read, were not.
      if (step.type === 'checked') yield noted(run, { ...step, objects: 0 })
      continue
    }
    failed.add(id)
    yield noted(run, step)
  }
  const ids = suspects.filter((id) => !failed.has(id))
  if (ids.length > 0) yield { type: 'repaired', ids }
}

const MISMATCH: MigrationFindingCode = 'MIGRATION_CONTENT_MISMATCH'

function unreadable(step: CheckStep): ContentId | undefined {
  return step.type === 'finding' && step.finding.code === MISMATCH ? (step.finding.subject as ContentId) : undefined
}
