import { type Finding, VaultError } from '@vault/core'
import type { SoupErrorCode } from '@vault/soup'
import { type ReclaimEvent, type ReclaimOptions, type ReclaimReport, reclaimSpace } from '@vault/transfer'
import type { Place } from './place.ts'

/**
 * Frees the bytes of a place that none of its vaults needs: see `reclaimSpace` of `@vault/transfer`. First reads every row that says
 * what is needed: where one is damaged or missing nothing is removed (`SOUP_CORRUPT`).
 */
export async function* reclaimPlace(
  { objects, soups }: Place,
  options: ReclaimOptions,
): AsyncGenerator<ReclaimEvent, ReclaimReport> {
  for (const { vault } of await soups.tenures.list(options)) {
    for await (const finding of soups.soup(vault).check(options)) throw damagedSoup(finding)
  }
  let report: ReclaimReport | undefined
  for await (const event of reclaimSpace({ objects, reclaim: soups.reclaim }, options)) {
    if (event.type === 'report') report = event
    else yield event
  }
  if (report === undefined) throw new TypeError('Reclaiming ended without its report.')
  return report
}

/** What the audit log says of it. */
export function reclaimed({ segments, objects, bytesFreed }: ReclaimReport): Readonly<Record<string, number>> {
  return { segments, objects, bytes: bytesFreed }
}

function damagedSoup(finding: Finding): VaultError<SoupErrorCode> {
  return new VaultError({
    code: 'SOUP_CORRUPT',
    message: `Nothing is removed, because what the vault needs cannot be told for certain: ${finding.message} Repair it first (vaultctl verify --repair).`,
    details: { finding },
  })
}
