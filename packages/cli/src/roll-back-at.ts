import type { MoveStatus } from '@vault/migration'
import { type CompleteMove, cannotRollBack, whatCameAbout } from './complete-move.ts'
import { type ExitCode, UsageError } from './exit-code.ts'
import { giveUpHere } from './give-up-here.ts'
import { unlessGone } from './gone-target.ts'
import { moveOn } from './move-on.ts'
import { endsOf } from './move-options.ts'
import { openVaultAt } from './open-vault.ts'
import type { Run } from './program.ts'
import { isRemote, keyOf, remoteState } from './remote-end.ts'
import { rollBackBetween } from './roll-back-between.ts'

type Options = Parameters<typeof moveOn>[1] & { readonly bringNewer?: boolean; readonly withoutTarget?: boolean }

/**
 * Takes a migration back. What is complete goes back by a move with everything that was written since, where that is asked for; else it
 * is refused, and that is named. Throws `MIGRATION_COMPLETE` and what a move throws.
 */
export async function rollBackAt(run: Run, options: Options): Promise<ExitCode> {
  const { withoutTarget = false, bringNewer = false, certificate } = options
  if (withoutTarget && (bringNewer || certificate !== undefined))
    throw new UsageError('--without-target is for a migration that is not complete: nothing is moved back then.')
  if (isRemote(endsOf(options).from)) return await rollBackBetween(run, options)
  return withoutTarget ? await giveUpHere(run, options) : await rollBackHere(run, options)
}

async function rollBackHere(run: Run, options: Options): Promise<ExitCode> {
  const { bringNewer = false, certificate, reason, migration: _, back = false, ...rest } = options
  const { from, to } = endsOf(options)
  const gone = { from, to, move: () => meantMove(run, options) }
  const complete = await unlessGone(run, gone, () => completeMove(run, options))
  if (complete === undefined) {
    if (certificate !== undefined)
      throw new UsageError(
        'What is rolled back has no certificate: only a complete migration has one, which --bring-newer moves back.',
      )
    return await unlessGone(run, gone, () => moveOn(run, options, 'rollback'))
  }
  if (!bringNewer) throw cannotRollBack(complete, to)
  if (reason !== undefined) throw new UsageError('--reason is for a migration that is not complete.')
  const returns = { migration: complete.migration, newer: complete.total }
  return await moveOn(run, { ...rest, ...(certificate !== undefined && { certificate }), back: !back, returns }, 'run')
}

/** The latest move from this place, where it is complete and the vault has not come back. */
async function completeMove({ output, signal }: Run, options: Options): Promise<CompleteMove | undefined> {
  const { from, to } = endsOf(options)
  // What was written on a server is told to whoever is there, unless it comes back with the vault.
  if (isRemote(to) && options.bringNewer !== true) return undefined
  const { listMoves } = await import('@vault/migration')
  const open = { mode: 'read', signal } as const
  await using left = await openVaultAt(from, { ...options, output }, open)
  // On its way back it is received here, until it is active.
  if ((await left.soup.tenure({ signal })).state === 'active') return undefined
  const [latest] = await listMoves(left.place.soups.records, { signal, vault: left.id })
  if (latest?.phase !== 'complete' || (options.migration ?? latest.migration) !== latest.migration) return undefined
  await using reached = isRemote(to)
    ? await remoteState(to, { ...options, vault: left.id, key: await keyOf(left.place), signal })
    : await openVaultAt(to, { ...options, output }, open)
  return await whatCameAbout(latest.migration, { left: left.soup, reached: reached.soup }, signal)
}

/** The move that is taken back: the one that is named, or has not ended, or else the latest. */
async function meantMove({ output, signal }: Run, options: Options): Promise<MoveStatus | undefined> {
  const { isEnded, listMoves, moveStatus } = await import('@vault/migration')
  await using vault = await openVaultAt(endsOf(options).from, { ...options, output }, { mode: 'read', signal })
  const moves = await listMoves(vault.place.soups.records, { signal, vault: vault.id })
  const named = moves.find(({ migration }) => migration === options.migration)
  const meant = options.migration === undefined ? (moves.find(({ phase }) => !isEnded(phase)) ?? moves[0]) : named
  return meant && moveStatus(meant)
}
