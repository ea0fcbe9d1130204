import { isVaultError } from '@vault/core'
import type { MoveStatus } from '@vault/migration'
import type { Run } from './program.ts'
import { isRemote } from './remote-end.ts'

/** What is said where the place that a move goes to is not there, or another one is in its stead. */
const AWAY: ReadonlySet<string> = new Set([
  'HTTP_UNREACHABLE',
  'HTTP_PEER_KEY',
  'MIGRATION_PLAN_MISMATCH',
  'VAULT_NOT_FOUND',
])

/** Takes a move back; where its target is not there, says what helps if that is gone for good, as far as the move has come. */
export async function unlessGone<Result>(
  { output }: Pick<Run, 'output'>,
  {
    from,
    to,
    move,
  }: { readonly from: string; readonly to: string; readonly move: () => Promise<MoveStatus | undefined> },
  takeBack: () => Promise<Result>,
): Promise<Result> {
  try {
    return await takeBack()
  } catch (error) {
    if (isVaultError(error) && AWAY.has(error.code)) {
      const found = await move()
      const way = found && wayWithout(found, from)
      if (way !== undefined) output.warn(`Where ${to} is gone for good, ${way}.`)
    }
    throw error
  }
}

/** How the vault, or what was in it, goes on without the target; `undefined` where it does already. */
function wayWithout({ phase, steps }: MoveStatus, from: string): string | undefined {
  switch (phase) {
    case 'complete':
      return `the vault is active nowhere any more, as the move was complete ("vault-migrate recover" is for those that are not). ${isRemote(from) ? `The folder that ${from} serves` : from} holds it as it was when it moved: "vaultctl get" gets its files out, or those of a newer copy, for a new vault`
    case 'rolled-back':
      return undefined
    case 'activated':
      return '"vault-migrate recover --taken", where the vault was, makes it active there again, without what was written since'
    case 'handoff-signed':
      return RECOVER
    case 'rolling-back':
      // Behind the signature the word of the target comes first.
      return steps[0]?.effect === 'decline' ? RECOVER : GIVE_UP
    default:
      return GIVE_UP
  }
}

const GIVE_UP = '"--without-target" gives the migration up without it'
const RECOVER =
  '"vault-migrate recover", where the vault was, makes it active there again, as the hand-off has been signed'
