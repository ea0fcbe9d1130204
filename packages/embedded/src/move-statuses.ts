import { type AbortOptions, type Clock, systemClock, systemRandom, type VaultId } from '@vault/core'
import {
  listMoves,
  type MoveApprovals,
  type MoveState,
  type MoveStatus,
  moveStatus,
  planToApprove,
  readMoveCheckpoint,
  readMovePace,
} from '@vault/migration'
import { approvalState } from './caps/approvals.ts'
import { VaultCaps, type VaultCapsParts } from './caps/vault-caps.ts'

/** The moves that left a place, the latest planned first, and for which approvals each of them waits. Changes nothing. */
export async function moveStatuses(
  place: VaultCapsParts['place'],
  options: AbortOptions & { readonly vault?: VaultId; readonly clock?: Clock } = {},
): Promise<readonly MoveStatus[]> {
  const { signal, vault, clock = systemClock } = options
  const { records } = place.soups
  const statuses: MoveStatus[] = []
  for (const state of await listMoves(records, { signal, ...(vault !== undefined && { vault }) })) {
    const { migration } = state
    const checkpoint = await readMoveCheckpoint(records, migration, { signal })
    const status = moveStatus(state, checkpoint, await readMovePace(records, migration, { signal }))
    const approvals = await approvalsOf(place, state, { signal, clock })
    statuses.push({ ...status, ...(approvals && { approvals }) })
  }
  return statuses
}

/** `undefined` where nobody has to approve a move, or not any more. */
async function approvalsOf(
  place: VaultCapsParts['place'],
  state: MoveState,
  { signal, clock }: AbortOptions & { readonly clock: Clock },
): Promise<MoveApprovals | undefined> {
  const plan = planToApprove(state)
  if (plan === undefined) return undefined
  const { vault } = state
  const caps = new VaultCaps({ vault, place, soup: place.soups.soup(vault), clock, random: systemRandom })
  const { needed, given, by } = await approvalState(caps, { action: 'migrate', act: plan }, { signal })
  if (needed === 0) return undefined
  return {
    plan,
    needed: needed ?? null,
    given,
    by: by.map(({ approver, expires }) => ({ approver, expires: expires.getTime() / 1000 })),
  }
}
