import type { Damage, RepairPhase, RepairReport } from '@vault/embedded'
import { about, damageLine } from './damage-lines.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { counted, humanCount } from './human.ts'
import { type StateOptions, stateDirOf } from './open-vault.ts'
import type { Run } from './program.ts'
import { warnOfFindings } from './warn-of-findings.ts'

const LABELS: Readonly<Record<RepairPhase, string>> = {
  find: 'Looking for damage',
  objects: 'Fetching objects',
  log: 'Checking the log',
  check: 'Verifying',
}

/** Heals a vault as far as it can be healed, and says what is repaired, lost and still damaged. */
export async function repairDamage(
  { output, progress, signal }: Run,
  dir: string,
  options: StateOptions & { readonly from?: string },
): Promise<ExitCode> {
  const { repairVault } = await import('@vault/embedded')
  const { from } = options
  const stateDir = stateDirOf(options, process.env)
  for await (const event of repairVault(dir, { signal, stateDir, ...(from !== undefined && { from }) })) {
    if (event.type === 'progress') {
      progress.show({ label: LABELS[event.phase], done: event.done, total: event.of })
      continue
    }
    progress.clear()
    const { ok, objects, checked, entries, damaged, notes, repaired, lost, aside } = event
    for (const note of notes) output.note(`Note: ${about(note)}`)
    for (const line of repairedLines(repaired)) output.note(line)
    if (aside.length > 0) output.note(`Kept aside, and safe to remove once all is sound: ${aside.join(', ')}.`)
    const isLost = new Set(lost)
    warnOfFindings(output, [...lost.map(lostLine), ...damaged.filter((damage) => !isLost.has(damage)).map(damageLine)])
    await output.result({ ok, objects, checked, entries, repaired, lost, damaged, notes, aside }, summary(event, from))
    return ok ? EXIT.ok : EXIT.refused
  }
  throw new Error('The repair ended without a report.')
}

const SHOWN = 20

function repairedLines(repaired: readonly Damage[]): readonly string[] {
  const lines = repaired.slice(0, SHOWN).map(({ subject, names }) => {
    return `Repaired: ${subject}${names.length > 0 ? ` (${names.join(', ')})` : ''}`
  })
  const more = repaired.length - lines.length
  return more > 0 ? [...lines, `… and ${humanCount(more)} more; --json names them.`] : lines
}

function lostLine({ subject, names }: Damage): string {
  const needed = names.length > 0 ? ` It is, or is a part of: ${names.join(', ')}.` : ''
  return `LOST: no sound copy of ${subject} was found.${needed}`
}

function summary({ ok, objects, entries, damaged, repaired, lost }: RepairReport, from: string | undefined): string {
  const healed = repaired.length === 0 ? 'Nothing was damaged' : `Repaired ${counted(repaired.length, 'finding')}`
  if (ok) {
    return `${healed}. Sound: every file, every object (${humanCount(objects)}), and the log (${counted(entries, 'entry')}).`
  }
  const done = repaired.length === 0 ? 'Nothing could be repaired' : healed
  const rest = damaged.length - lost.length
  const left = [
    ...(lost.length > 0 ? [`${counted(lost.length, 'object')} lost`] : []),
    ...(rest > 0 ? [`${counted(rest, 'finding')} left`] : []),
  ]
  // What it says of a certificate of this place is what to do, which no other place can.
  const isOfPlace = damaged.every(({ code }) => code === 'CAPS_MALFORMED')
  const advice = isOfPlace
    ? 'What is left is of this place alone, and said above.'
    : from === undefined
      ? 'Name another place that holds the vault with --from.'
      : 'Try --from with another copy, if there is one.'
  return `STILL DAMAGED: ${done}; ${left.join(', ')}. ${advice}`
}
