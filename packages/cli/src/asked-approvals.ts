import type { Vault } from '@vault/embedded'
import { approvalLines, mandateLine, type ToldApprovals, toldApprovals } from './approval-lines.ts'
import type { StateOptions } from './open-vault.ts'
import { principalNames } from './principal-names.ts'

/** What a vault asks of its hand-offs: members of a result, and lines for people. */
export interface AskedApprovals {
  readonly members: {
    readonly mandate?: { readonly action: 'migrate'; readonly approvals: number | null }
    readonly waiting?: readonly (ToldApprovals & { readonly migration: string })[]
  }
  readonly lines: readonly string[]
}

/** How many others have to approve a hand-off of a vault, and for whom a move that has begun waits. `dir`: the vault as it was named. */
export async function askedApprovals(
  vault: Vault,
  dir: string,
  { signal, ...options }: StateOptions & { readonly signal: AbortSignal },
): Promise<AskedApprovals> {
  const { moveStatuses } = await import('@vault/embedded')
  const needed = await vault.approvalsNeeded('migrate', { signal })
  const statuses = await moveStatuses(vault.place, { vault: vault.id, signal })
  const waiting = statuses.flatMap(({ migration_id: migration, approvals }) =>
    approvals === undefined ? [] : [{ migration, ...toldApprovals(approvals, dir) }],
  )
  const members = {
    ...(needed !== 0 && { mandate: { action: 'migrate' as const, approvals: needed ?? null } }),
    ...(waiting.length > 0 && { waiting }),
  }
  if (waiting.length === 0) {
    const { state } = await vault.soup.tenure({ signal })
    const line = state === 'active' ? mandateLine(needed, dir) : undefined
    return { members, lines: line === undefined ? [] : [`mandate   ${line}`] }
  }
  const called = await principalNames(options, vault)
  const lines = waiting.flatMap((each) => [
    `move      ${each.migration}`,
    ...approvalLines(each, called).map((line) => `          ${line}`),
  ])
  return { members, lines }
}
