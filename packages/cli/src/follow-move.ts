import type { MoveEvent, MoveState, MoveStatus, MoveStep, Rehearsal, RehearsalEvent } from '@vault/migration'
import type { DistantEvent } from '@vault/migration/http'
import { absenceLine } from './absence-lines.ts'
import { humanBytes } from './human.ts'
import { MigrationStanding } from './migration-standing.ts'
import { printable } from './printable.ts'
import type { Run } from './program.ts'
import { stayingLines } from './staying-keys.ts'

/** Shows a move as it goes on, and gives its state at the end. */
export async function followMove(
  run: Run,
  events: AsyncIterable<MoveEvent | DistantEvent>,
  { begins }: { readonly begins: (step: MoveStep) => Promise<void> },
): Promise<MoveState> {
  const standing = await MigrationStanding.create()
  for await (const event of events) {
    if (event.type === 'moved') {
      run.progress.clear()
      return event.state
    }
    show(run, standing, event)
    if (event.type === 'step') await begins(event.step)
  }
  throw new Error('The move ended without a word.')
}

/** Shows a rehearsal as it goes on, and gives what it showed. */
export async function followRehearsal(run: Run, events: AsyncIterable<RehearsalEvent>): Promise<Rehearsal> {
  const standing = await MigrationStanding.create()
  for await (const event of events) {
    if (event.type === 'rehearsed') {
      run.progress.clear()
      return event.rehearsal
    }
    show(run, standing, event)
  }
  throw new Error('The rehearsal ended without a word.')
}

function show(
  { output, progress }: Run,
  standing: MigrationStanding,
  event: Exclude<RehearsalEvent | DistantEvent, { type: 'rehearsed' | 'moved' }>,
): void {
  switch (event.type) {
    case 'step':
      progress.clear()
      output.note(`${event.step.effect.padEnd(12)} ${event.step.title}`)
      return
    case 'round': {
      progress.clear()
      const { dirty, left, ms, throttleMs, estimateMs, goalMs } = event.round
      const slowed = throttleMs === 0 ? '' : `; writers wait ${throttleMs} ms before each change`
      const pause = `a pause now would take ${estimateMs} ms, and is to take ${goalMs}`
      output.note(`${''.padEnd(12)} ${dirty} changes sent in ${ms} ms, ${left} are left; ${pause}${slowed}`)
      return
    }
    case 'away':
    case 'back':
      progress.clear()
      output.note(absenceLine(event))
      return
    case 'finding':
      progress.clear()
      output.warn(event.finding.message)
      return
    case 'batch':
    case 'checked':
      progress.show(standing.after(event.progress))
  }
}

/**
 * A move for people: what has been done, what comes next, and what may be left undone. `where`: what they call its source. A server may have said
 * the rest: each line stays one.
 */
export function describeStatus(status: MoveStatus, where: string): string {
  const { migration_id, phase, target, objects, bytes, eta_seconds, steps, reason } = status
  return [
    `Migration ${migration_id}: ${phase}${reason === null ? '' : ` (${reason})`}`,
    `  from ${where} to ${target}`,
    `  at the target: ${objects} objects, ${humanBytes(bytes)}${eta_seconds === null ? '' : `, about ${eta_seconds} s left`}`,
    ...steps.map(
      ({ title, kind, status: state }) => `  [${MARKS[state]}] ${title}${kind === 'cleanup' ? ' (cleanup)' : ''}`,
    ),
    ...(phase === 'rolled-back' ? [] : stayingLines(status, where).map((line) => `  ${line}`)),
  ]
    .map(printable)
    .join('\n')
}

const MARKS = { done: 'x', next: '>', open: ' ' } as const
