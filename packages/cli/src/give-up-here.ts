import type { KeyId } from '@vault/core'
import { writeEvents } from './event-lines.ts'
import type { ExitCode } from './exit-code.ts'
import { followMove } from './follow-move.ts'
import { describeMoved, expectMoveFiles, movedResult } from './move-ending.ts'
import { noneToGoOnWith } from './move-on.ts'
import { endsOf, type MoveOptions, seatsOf } from './move-options.ts'
import { openVaultAt } from './open-vault.ts'
import type { Run } from './program.ts'
import { isRemote, serverKey } from './remote-end.ts'

/** Takes a move from a folder back without the place that it was going to, which is gone. Throws what `giveUpMove` throws. */
export async function giveUpHere(
  run: Run,
  options: MoveOptions & { readonly migration?: string; readonly reason?: string },
): Promise<ExitCode> {
  const { output, signal } = run
  const started = performance.now()
  const { from, to } = endsOf(options)
  const { peerKey, reason, events: file } = options
  const files = await expectMoveFiles(options)
  const { isIdentitySealed, moveSourceOf, publishEvents } = await import('@vault/embedded')
  const { giveUpMove, isEnded, listMoves } = await import('@vault/migration')
  await using vault = await openVaultAt(from, { ...options, output }, { signal })
  const moves = await listMoves(vault.place.soups.records, { signal, vault: vault.id })
  const meant = moves.find(({ phase }) => !isEnded(phase)) ?? moves[0]
  const migration = options.migration ?? meant?.migration
  if (migration === undefined) throw noneToGoOnWith('rollback', { from, vault: vault.id })
  const actor = await vault.actorFor('migrate', { signal })
  const seat = seatsOf(options, await isIdentitySealed(vault), output).source
  const named = peerKey === undefined ? undefined : serverKey(peerKey)
  const key = isRemote(to) ? named : await keyAt(to)
  const parts = {
    source: await moveSourceOf(vault, { ...seat, actor }),
    authorize: vault.authorize,
    ...(key !== undefined && { to: key }),
  }
  const events = giveUpMove(migration, parts, { signal, ...(reason !== undefined && { reason }) })
  const published = publishEvents(migration, events)
  const state = await followMove(run, file === undefined ? published : writeEvents(file, published, output), {
    begins: async () => {},
  })
  const already = moves.some((move) => move.migration === migration && move.phase === 'rolled-back')
  const seconds = (performance.now() - started) / 1000
  const ending = { from, to, certificate: undefined, seconds, live: undefined, returns: undefined, already, stays: {} }
  return await files.report(output, movedResult(state, ending), describeMoved(state, ending))
}

/** The key of the place in a folder, where there is one that can be read: it may be another than the migration goes to. */
async function keyAt(dir: string): Promise<KeyId | undefined> {
  const { isVaultError } = await import('@vault/core')
  const { lookAtTarget } = await import('@vault/embedded')
  try {
    await using target = await lookAtTarget(dir)
    return target.key
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}
