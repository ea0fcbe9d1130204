import type { AbortOptions } from '@vault/core'
import type { MigrationEvent } from './event.ts'
import { permissionFor, refusedMeanwhile } from './permission.ts'
import type { Plan } from './plan.ts'
import type { MigrationParts } from './plan-migration.ts'
import { requireFit } from './plan-migration.ts'

/** Begins only what the target can receive and both vaults allow, and goes on only as long as they do. */
export async function* authorizedRun(
  kind: Plan['kind'],
  parts: MigrationParts,
  events: AsyncIterable<MigrationEvent>,
  options: AbortOptions,
): AsyncGenerator<MigrationEvent> {
  const { source, target } = parts
  const held = await target.look(source.vault, options)
  await requireFit(kind, parts, held, options)
  const permission = permissionFor(parts, { source: source.vault, target: held.tenure.vault }, options)
  await permission.require()
  let hasBegun = false
  try {
    for await (const event of events) {
      yield event
      // By then the target is open: what it has refused before was never granted.
      hasBegun ||= event.type === 'phase' && event.phase === 'transfer'
      // Weeks may pass, and what was allowed when it began may no longer be.
      if (event.type !== 'summary') await permission.keep()
    }
  } catch (error) {
    throw hasBegun ? refusedMeanwhile(error) : error
  }
}
