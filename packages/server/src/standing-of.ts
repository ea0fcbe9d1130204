import type { AbortOptions, VaultId } from '@vault/core'
import type { Place } from '@vault/embedded'
import type { VaultStanding } from '@vault/migration/http'

/** What the vaults of a place are there, as far as one may ask about them: of others not even that they are there. */
export async function standingOf(
  { soups }: Pick<Place, 'soups'>,
  mayAsk: (vault: VaultId) => Promise<boolean>,
  options: AbortOptions,
): Promise<readonly VaultStanding[]> {
  const standings: VaultStanding[] = []
  for (const { vault, state, epoch, sequence, migration = null } of await soups.tenures.list(options)) {
    if (state === 'none' || !(await mayAsk(vault))) continue
    const counts = await soups.soup(vault).view(async (view) => view.counts, options)
    standings.push({ vault, state, epoch, sequence, migration, ...counts })
  }
  return standings
}
