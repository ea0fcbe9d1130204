import type { AbortOptions, Bytes, KeyId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { Tenure } from '@vault/soup'
import type { MigrationErrorCode } from '../error.ts'
import type { PlanParts } from '../plan-migration.ts'
import { readMove } from './journal.ts'
import { movedTo } from './live/moved-to.ts'
import type { MoveSource, MoveTarget } from './move-endpoint.ts'
import type { MoveState } from './state.ts'
import { targetOf } from './target-of.ts'

/** A place by what it is known by: its key, or its instance. Neither: there is no place. */
export interface NamedPlace {
  readonly key?: KeyId | undefined
  readonly instance?: string | undefined
}

/**
 * The move by which a vault has left its source for this place, where it was finished: whoever asks for it again is told how it ended.
 * `undefined` where the vault has not left, and then nobody asks which place that is. Throws `MIGRATION_SOURCE_REFUSED`, with where it went, for another place.
 */
export async function arrivedMove(
  { soup, records, vault }: Pick<MoveSource, 'soup' | 'records' | 'vault'>,
  to: () => Promise<NamedPlace>,
  options: AbortOptions = {},
): Promise<MoveState | undefined> {
  const tenure = await soup.tenure(options)
  const moved = await movedTo(records, tenure, options)
  if (moved === undefined) return undefined
  const state = await readMove(records, moved.migration, options)
  if (state?.phase !== 'complete' || state.acceptance === null) return undefined
  const { place, instance } = targetOf(state)
  const named = await to()
  if (named.key === place || named.instance === instance) return state
  const { migration, label, address } = moved
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_SOURCE_REFUSED',
    message: `The vault ${vault} was handed off from here by the migration ${migration}, to ${address ?? label}: move it from where it is active.`,
    details: { vault, state: tenure.state, migration, place: label, ...(address !== undefined && { address }) },
  })
}

/**
 * Whoever asks for a finished move again must not read a success where the vault has been handed on: asks the target. Throws
 * `MIGRATION_SOURCE_REFUSED`.
 */
export async function requireArrived(
  { vault, migration, handoff, keyEvent }: MoveState,
  target: Pick<MoveTarget, 'activate' | 'label'>,
  options: AbortOptions = {},
): Promise<void> {
  // Said again, the hand-off changes nothing, and the answer is what the vault is there now.
  const tenure = await target.activate({ handoff: handoff as Bytes, keyEvent: keyEvent as Bytes }, options)
  requireStill({ vault, migration }, tenure, target.label)
}

/**
 * Whoever asks what a move would do is told where it is finished. The target is only looked at. Throws `MIGRATION_COMPLETE` where the vault has left
 * for this place and is active there, and `MIGRATION_SOURCE_REFUSED` where it is elsewhere by now.
 */
export async function requireNotArrived(
  source: Pick<MoveSource, 'soup' | 'records' | 'vault'>,
  target: PlanParts['target'],
  options: AbortOptions = {},
): Promise<void> {
  const arrived = await arrivedMove(source, async () => target, options)
  if (arrived === undefined) return
  const { vault, migration } = arrived
  const { label } = target
  requireStill(arrived, (await target.look(vault, options)).tenure, label)
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_COMPLETE',
    message: `The vault ${vault} has moved already: it is active in ${label}, by the migration ${migration}.`,
    details: { vault, migration, place: label },
  })
}

/** Throws `MIGRATION_SOURCE_REFUSED` where the vault has been handed on from where it moved to. */
function requireStill(
  { vault, migration }: Pick<MoveState, 'vault' | 'migration'>,
  { state, migration: since = 'unknown' }: Tenure,
  label: string,
): void {
  if (state === 'active' || state === 'quiesced') return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_SOURCE_REFUSED',
    message: `The vault ${vault} moved to ${label} by the migration ${migration}, and is ${state} there since (migration ${since}): "vault-migrate status" there says where it went.`,
    details: { vault, state, migration: since, place: label },
  })
}
