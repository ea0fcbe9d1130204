import type { MoveApprovals } from '@vault/migration'
import { humanCount } from './human.ts'
import type { PrincipalNames } from './principal-names.ts'

/** What is said of the approvals that a move waits for. */
export interface ToldApprovals extends Omit<MoveApprovals, 'by'> {
  readonly by: readonly { readonly approver: string; readonly expires: string }[]
  /** The command that comes next; NAME, and the place it moves to, are for whoever gives it. */
  readonly next: string
}

/** The approvals of a move as they are told, with the command that comes next. `dir`: where the vault lies, also that which a server serves. */
export function toldApprovals({ by, ...approvals }: MoveApprovals, dir: string): ToldApprovals {
  return {
    ...approvals,
    by: by.map(({ approver, expires }) => ({ approver, expires: new Date(expires * 1000).toISOString() })),
    next: nextCommand(approvals, dir),
  }
}

/** The same for people, a line each. */
export function approvalLines(
  { plan, needed, given, by, next }: ToldApprovals,
  called: PrincipalNames,
): readonly string[] {
  const named = by.map(({ approver, expires }) => `  approved by ${called(approver)}, until ${expires}`)
  const before =
    needed === null
      ? `waits: the vault's mandate cannot be read, so nobody can approve the plan ${plan}`
      : given < needed
        ? `waits for approvals: ${humanCount(given)} of ${humanCount(needed)} of the plan ${plan}`
        : `approved: ${humanCount(given)} of ${humanCount(needed)} of the plan ${plan}; whoever goes on is none of them`
  return [before, ...named, `  next: ${next}`]
}

/** What a mandate asks of a hand-off that has not begun; nothing where it asks nothing. `undefined`: it cannot be read. */
export function mandateLine(needed: number | undefined, dir: string): string | undefined {
  if (needed === 0) return undefined
  if (needed === undefined) return `a hand-off cannot be begun: the mandate cannot be read. Next: ${mandateAnew(dir)}`
  return `a hand-off waits for the approval of ${othersOf(needed)} ("vault-migrate run" says of which plan)`
}

/** So many who have to approve, in words. */
export function othersOf(needed: number): string {
  return needed === 1 ? 'another one' : `${humanCount(needed)} others`
}

function nextCommand({ plan, needed, given }: Omit<MoveApprovals, 'by'>, dir: string): string {
  if (needed === null) return mandateAnew(dir)
  return given < needed ? `vaultctl caps approve ${dir} ${plan} --as NAME` : `vault-migrate resume --from ${dir} --to …`
}

function mandateAnew(dir: string): string {
  return `vaultctl caps mandate ${dir} --action migrate --approvals N`
}
