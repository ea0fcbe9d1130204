import type { BulkCas, BulkCasReader, CasReader } from '@vault/cas'
import type { Authorize } from '@vault/core'
import type { MemoryVault } from '../../transfer/test/memory-vault.ts'
import { collect, emptyPlace, vaultId } from '../../transfer/test/memory-vault.ts'
import {
  activeVaultTarget,
  type MigrationEvent,
  type MigrationParts,
  type Plan,
  type PlanOptions,
  planMigration,
  runMigration,
  type Source,
  type Summary,
  soupStoreSource,
  soupStoreTarget,
} from '../src/index.ts'

export const owner: Authorize = async ({ action, object }) => ({ action, object, proven: false })

export function sourceOf(place: MemoryVault, objects: CasReader & BulkCasReader = place.objects): Source {
  return soupStoreSource({ vault: place.vault, label: 'source', objects, store: place.store })
}

export function fullParts(source: MemoryVault, target: MemoryVault, objects: BulkCas = target.objects) {
  const place = soupStoreTarget({ label: 'target', objects, store: target.store })
  return { source: sourceOf(source), target: place, authorize: owner } satisfies MigrationParts
}

export function partialParts(source: MemoryVault, target: MemoryVault): MigrationParts {
  const { objects, soup } = target
  return { source: sourceOf(source), target: activeVaultTarget({ label: 'target', objects, soup }), authorize: owner }
}

/** A place that nothing has been received at. */
export function freshPlace(): MemoryVault {
  return emptyPlace(vaultId('v'))
}

export async function planAndRun(parts: MigrationParts, options?: PlanOptions): Promise<Summary> {
  return summaryOf(await collect(runMigration(await planMigration(parts, options), parts)))
}

export async function run(plan: Plan, parts: MigrationParts): Promise<Summary> {
  return summaryOf(await collect(runMigration(plan, parts)))
}

export function summaryOf(events: readonly MigrationEvent[]): Summary {
  const last = events.at(-1)
  if (last?.type !== 'summary') throw new Error('the run has no summary')
  return last.summary
}
