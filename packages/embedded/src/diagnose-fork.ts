import type { AbortOptions } from '@vault/core'
import { decodePlan, listMoves } from '@vault/migration'
import { currentTenure } from './current-tenure.ts'
import type { Check } from './diagnosis.ts'
import type { Place } from './place.ts'

/**
 * Whether the vault may be active elsewhere, too, as far as one place can know: it is active here, and has been signed away from here to a
 * place that has not given it up. The other place knows nothing of that. It is no fault here, as that place may be gone for good.
 */
export async function diagnoseFork({ dir, soups }: Place, options: AbortOptions): Promise<readonly Check[]> {
  const tenure = await currentTenure(soups)
  if (tenure?.state !== 'active') return []
  const moves = await listMoves(soups.records, { ...options, vault: tenure.vault })
  return moves
    .filter(({ phase, next, handoff, decline }) => {
      return phase === 'rolled-back' && next !== null && handoff !== null && decline === null
    })
    .map(({ migration, plan }) => ({
      name: 'tenure',
      ok: true,
      message: `The vault was signed away to ${decodePlan(plan).target.label} by the migration ${migration}, and is active here by the word of its identity ("vault-migrate recover"). If that place took it and still exists (PLACE), it is active at both, which neither can know alone: "vault-migrate plan --from ${dir} --to PLACE" looks at both.`,
    }))
}
