import { type AbortOptions, type ContentId, isVaultError } from '@vault/core'
import { decodePlan, type Plan, readArrivalPlan } from '@vault/migration'
import type { Place } from './place.ts'

const PAGE = 256
/** A plan of the longest names, with many keys. Lists of what a batch moved may be longer, and are not read. */
const MOST_BYTES = 64 * 1024

/**
 * The plans of these migrations, by which a vault came to where it is, one after the other. That of the last one stands in its certificate here;
 * those before it are held with the vault, as its trail names them. What cannot be read is left out.
 */
export async function arrivalPlans(
  { objects, soups }: Place,
  { vault, migrations }: { readonly vault: ContentId; readonly migrations: readonly string[] },
  options: AbortOptions,
): Promise<ReadonlyMap<string, Plan>> {
  const plans = new Map<string, Plan>()
  const last = migrations.at(-1)
  const plan = last === undefined ? undefined : await readArrivalPlan(soups.records, last, options)
  if (last !== undefined && plan !== undefined) plans.set(last, plan)
  const wanted = new Set(migrations.filter((migration) => !plans.has(migration)))
  let after: ContentId | undefined
  while (wanted.size > 0) {
    const held = await soups.soup(vault).held({ ...(after !== undefined && { after }), limit: PAGE }, options)
    after = held.at(-1)?.id
    if (after === undefined) break
    const short = held.filter(({ size }) => size <= MOST_BYTES).map(({ id }) => id)
    if (short.length === 0) continue
    for await (const { blocks } of objects.getMany([short], options)) {
      for (const { bytes } of blocks) {
        const found = planIn(bytes)
        if (found !== undefined && wanted.delete(found.migration_id)) plans.set(found.migration_id, found)
      }
    }
  }
  return plans
}

function planIn(bytes: Uint8Array): Plan | undefined {
  try {
    return decodePlan(bytes)
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}
