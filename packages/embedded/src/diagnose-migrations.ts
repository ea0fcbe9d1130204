import type { AbortOptions } from '@vault/core'
import { decodePlan, isEnded, listMoves, type MoveState, readWriterNotice } from '@vault/migration'
import type { Check } from './diagnosis.ts'
import type { Place } from './place.ts'

/** Hand-offs that left this place and are not at their end. */
export async function diagnoseMigrations(place: Place, options: AbortOptions): Promise<readonly Check[]> {
  const { dir, soups } = place
  const open = (await listMoves(soups.records, options)).filter(({ phase }) => !isEnded(phase))
  if (open.length === 0) return [{ name: 'migration', ok: true, message: 'No hand-off is unfinished.' }]
  return await Promise.all(
    open.map(async (move) => ({
      name: 'migration',
      ok: false,
      lost: 'no' as const,
      message: `The hand-off ${move.migration} is unfinished: it stands at ${move.phase}. Nothing is lost by that.`,
      advice: `vault-migrate status ${dir} says what is left to do; what goes on with it: ${await goesOn(place, move, options)}`,
    })),
  )
}

/** The command that goes on with a move. The address of its target is known from the pause on, or where that is a server. */
async function goesOn(
  { dir, soups }: Place,
  { vault, migration, phase, plan }: MoveState,
  options: AbortOptions,
): Promise<string> {
  const { label, place = 'KEY' } = decodePlan(plan).target
  const notice = await readWriterNotice(soups.records, vault, options)
  const address = notice?.migration === migration ? notice.to.address : null
  const to = address ?? (isServer(label) ? label : 'FOLDER')
  const command = `vault-migrate ${phase === 'rolling-back' ? 'rollback' : 'resume'} --from ${dir} --to ${to}`
  if (isServer(to)) return `${command} --peer-key ${place}`
  return to === 'FOLDER' ? `${command} (FOLDER: where the place ${JSON.stringify(label)} is)` : command
}

function isServer(end: string): boolean {
  return end.startsWith('https://')
}
