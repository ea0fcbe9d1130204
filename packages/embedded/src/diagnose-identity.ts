import { type AbortOptions, isVaultError, type KeyId, type KeyState } from '@vault/core'
import { keyStateAt, readArrivalPlan } from '@vault/migration'
import { currentTenure } from './current-tenure.ts'
import type { Check } from './diagnosis.ts'
import { heldKeys } from './keystore.ts'
import type { Place } from './place.ts'

/** Where the keys are that can change the keys of the vault: whether one is in the folder that the vault came from, and only there. */
export async function diagnoseIdentity(place: Place, options: AbortOptions): Promise<readonly Check[]> {
  const tenure = await currentTenure(place.soups)
  if (tenure?.state !== 'active') return []
  const state = await keysOf(place, tenure.vault, options)
  if (state === undefined) return []
  const { keys, threshold } = state.roles.identity
  const held = await heldKeys({ dir: place.dir, role: 'identity', keys })
  if (held.length >= threshold) return []
  const left = await leftBehind(place, state, options)
  const stays = left?.keys.filter((key) => keys.includes(key) && !held.includes(key)) ?? []
  if (left === undefined || stays.length === 0) {
    const message = `The keys of the vault are changed, and it moves, with ${threshold} of the ${keys.length} keys of its identity: ${held.length} of them ${held.length === 1 ? 'lies' : 'lie'} here, the others with those who hold them.`
    return [{ name: 'identity', ok: true, message }]
  }
  const [what, stay] = stays.length === 1 ? ['key', 'stays'] : ['keys', 'stay']
  return [
    {
      name: 'identity',
      ok: false,
      lost: 'key',
      message: `The identity ${what} ${stays.join(', ')} ${stay} in the folder keys of ${left.source}, which the vault came from by the migration ${left.migration}. Without enough keys of its identity nobody can change the keys of the vault, or move it again.`,
      advice: `Keep that folder (OLD) until other keys are the identity: ${replaces(state, stays, place.dir)}`,
    },
  ]
}

/** Damaged key events are told of with the tenure. */
async function keysOf(
  { soups }: Place,
  vault: KeyState['vault'],
  options: AbortOptions,
): Promise<KeyState | undefined> {
  try {
    return await keyStateAt({ store: soups }, vault, options)
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}

/** The keys that the latest move left at its source, as its plan says. */
async function leftBehind(
  { soups }: Place,
  { events }: KeyState,
  options: AbortOptions,
): Promise<{ readonly source: string; readonly migration: string; readonly keys: readonly KeyId[] } | undefined> {
  const moved = events.findLast(({ why }) => why === 'migrate')
  const migration = moved?.why === 'migrate' ? moved.context?.migration : undefined
  if (migration === undefined) return undefined
  const plan = await readArrivalPlan(soups.records, migration, options)
  const keys = plan?.handoff?.identity_stays
  return plan === undefined || keys === undefined ? undefined : { source: plan.source.label, migration, keys }
}

/** How other keys become the identity. */
function replaces({ roles, next, witnesses }: KeyState, [first]: readonly KeyId[], dir: string): string {
  if (first !== undefined && roles.identity.keys.length === 1 && next === null && witnesses.threshold === 0) {
    return `vaultctl keys rotate ${dir} --role identity --identity OLD/keys/identity-${first.slice(first.indexOf(':') + 1)}.*`
  }
  return `vaultctl ceremony plan ${dir} --out CEREMONY --as NAME --identity KEYS, then vaultctl ceremony join CEREMONY --vault OLD, and the others`
}
