import type { AbortOptions } from '@vault/core'
import { isEnded, listMoves } from '@vault/migration'
import type { Check } from './diagnosis.ts'
import type { Place } from './place.ts'

/** Hand-offs that left this place and are not at their end. */
export async function diagnoseMigrations({ dir, soups }: Place, options: AbortOptions): Promise<readonly Check[]> {
  const open = (await listMoves(soups.records, options)).filter(({ phase }) => !isEnded(phase))
  if (open.length === 0) return [{ name: 'migration', ok: true, message: 'No hand-off is unfinished.' }]
  return open.map(({ migration, phase }) => ({
    name: 'migration',
    ok: false,
    lost: 'no',
    message: `The hand-off ${migration} is unfinished: it stands at ${phase}. Nothing is lost by that.`,
    advice: `vault-migrate status ${dir} says what is left to do; vault-migrate resume --from ${dir} --to … goes on`,
  }))
}
