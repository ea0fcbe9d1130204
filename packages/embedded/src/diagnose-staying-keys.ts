import { type AbortOptions, isVaultError, type KeyId, type KeyState } from '@vault/core'
import { keyStateAt } from '@vault/migration'
import { arrivalPlans } from './arrival-plans.ts'
import { currentTenure } from './current-tenure.ts'
import type { Check } from './diagnosis.ts'
import { heldKeys } from './keystore.ts'
import type { Place } from './place.ts'

/** Keys that a move left where it began. */
interface Left {
  readonly source: string
  readonly migration: string
  readonly keys: readonly KeyId[]
}

/**
 * Where the keys are that can change the keys of the vault, and those by which is granted what can be done with it: whether any lie in a
 * folder that the vault came from, however many moves ago, and only there.
 */
export async function diagnoseStayingKeys(place: Place, options: AbortOptions): Promise<readonly Check[]> {
  const tenure = await currentTenure(place.soups)
  if (tenure?.state !== 'active') return []
  const state = await keysOf(place, tenure.vault, options)
  if (state === undefined) return []
  const { identity, operators } = state.roles
  const { dir } = place
  const heldIdentity = await heldKeys({ dir, role: 'identity', keys: identity.keys })
  const heldOperators = await heldKeys({ dir, role: 'operators', keys: operators.keys })
  const lacks = {
    identity: heldIdentity.length < identity.threshold,
    operators: heldOperators.length < operators.threshold,
  }
  if (!lacks.identity && !lacks.operators) return []
  const left = await leftBehind(place, state, options)
  const missing = (keys: readonly KeyId[], held: readonly KeyId[], role: 'identity' | 'operators') =>
    lacks[role] ? staying(left[role], (key) => keys.includes(key) && !held.includes(key)) : []
  const ofIdentity = missing(identity.keys, heldIdentity, 'identity')
  const ofOperators = missing(operators.keys, heldOperators, 'operators')
  return [
    ...ofIdentity.map((each) =>
      describe(
        'identity',
        each,
        `Keep that folder (OLD) until other keys are the identity: ${replaces(state, each.keys, dir)}`,
      ),
    ),
    ...(lacks.identity && ofIdentity.length === 0 ? [elsewhere(state, heldIdentity.length)] : []),
    ...ofOperators.map((each) =>
      describe(
        'operators',
        each,
        `Keep that folder until other keys are the operators: vaultctl ceremony plan ${dir} --out CEREMONY --as NAME --operators KEYS, and then those who hold the identity join it`,
      ),
    ),
  ]
}

function elsewhere({ roles }: KeyState, held: number): Check {
  const { keys, threshold } = roles.identity
  const message = `The keys of the vault are changed, and it moves, with ${threshold} of the ${keys.length} keys of its identity: ${held} of them ${held === 1 ? 'lies' : 'lie'} here, the others with those who hold them.`
  return { name: 'identity', ok: true, message }
}

const WITHOUT = {
  identity: 'Without enough keys of its identity nobody can change the keys of the vault, or move it again.',
  operators:
    'Without enough keys of its operators nobody may grant what can be done with the vault, or take that back.',
} as const

function describe(name: keyof typeof WITHOUT, { source, migration, keys }: Left, advice: string): Check {
  const whose = name === 'identity' ? 'The identity' : "The operators'"
  const which = keys.length === 1 ? `key ${keys[0]} stays` : `keys ${keys.join(', ')} stay`
  return {
    name,
    ok: false,
    lost: 'key',
    message: `${whose} ${which} in the folder keys of ${source}, which the vault came from by the migration ${migration}. ${WITHOUT[name]}`,
    advice,
  }
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

/** The keys that moves left at their sources, as their plans say, the latest first. */
async function leftBehind(
  place: Place,
  { vault, events }: KeyState,
  options: AbortOptions,
): Promise<Readonly<Record<'identity' | 'operators', readonly Left[]>>> {
  const migrations = events.flatMap((event) =>
    event.why === 'migrate' && event.context !== undefined ? [event.context.migration] : [],
  )
  const plans = await arrivalPlans(place, { vault, migrations }, options)
  const stayed = (role: 'identity_stays' | 'operators_stays') =>
    migrations.toReversed().flatMap((migration) => {
      const plan = plans.get(migration)
      const keys = plan?.handoff?.[role]
      return plan === undefined || keys === undefined ? [] : [{ source: plan.source.label, migration, keys }]
    })
  return { identity: stayed('identity_stays'), operators: stayed('operators_stays') }
}

/** Of what was left, the keys that count, each where it was left last. */
function staying(left: readonly Left[], counts: (key: KeyId) => boolean): readonly Left[] {
  const seen = new Set<KeyId>()
  return left.flatMap(({ keys, ...from }) => {
    const fresh = keys.filter((key) => counts(key) && !seen.has(key))
    for (const key of fresh) seen.add(key)
    return fresh.length === 0 ? [] : [{ ...from, keys: fresh }]
  })
}

/** How other keys become the identity. */
function replaces({ roles, next, witnesses }: KeyState, [first]: readonly KeyId[], dir: string): string {
  if (first !== undefined && roles.identity.keys.length === 1 && next === null && witnesses.threshold === 0) {
    return `vaultctl keys rotate ${dir} --role identity --identity OLD/keys/identity-${first.slice(first.indexOf(':') + 1)}.*`
  }
  return `vaultctl ceremony plan ${dir} --out CEREMONY --as NAME --identity KEYS, then vaultctl ceremony join CEREMONY --vault OLD, and the others`
}
