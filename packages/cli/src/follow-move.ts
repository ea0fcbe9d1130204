import type { MoveEvent, MoveState, MoveStatus, MoveStep } from '@vault/migration'
import { humanBytes } from './human.ts'
import type { Run } from './program.ts'

/** Shows a move as it goes on, and gives its state at the end. */
export async function followMove(
  { output, progress }: Run,
  events: AsyncIterable<MoveEvent>,
  { begins }: { readonly begins: (step: MoveStep) => Promise<void> },
): Promise<MoveState> {
  for await (const event of events) {
    switch (event.type) {
      case 'moved':
        progress.clear()
        return event.state
      case 'step':
        progress.clear()
        output.note(`${event.step.effect.padEnd(12)} ${event.step.title}`)
        await begins(event.step)
        break
      case 'round': {
        progress.clear()
        const { dirty, left, ms, throttleMs } = event.round
        const slowed = throttleMs === 0 ? '' : `; writers wait ${throttleMs} ms before each change`
        output.note(`${''.padEnd(12)} ${dirty} changes sent in ${ms} ms, ${left} are left${slowed}`)
        break
      }
      case 'finding':
        progress.clear()
        output.warn(event.finding.message)
        break
      case 'batch':
      case 'checked': {
        const { phase, objects, bytes } = event.progress
        progress.show({
          label: phase === 'verify' ? 'Verifying' : 'Transferring',
          ...objects,
          bytes: bytes.done,
          ...(bytes.total !== undefined && { totalBytes: bytes.total }),
        })
      }
    }
  }
  throw new Error('The move ended without a word.')
}

/** A move for people: what has been done, what comes next, and what may be left undone. */
export function describeStatus(status: MoveStatus): string {
  const { migration_id, phase, source, target, objects, bytes, eta_seconds, steps, reason } = status
  return [
    `Migration ${migration_id}: ${phase}${reason === null ? '' : ` (${reason})`}`,
    `  from ${source} to ${target}`,
    `  sent ${objects} objects, ${humanBytes(bytes)}${eta_seconds === null ? '' : `, about ${eta_seconds} s left`}`,
    ...steps.map(
      ({ title, kind, status: state }) => `  [${MARKS[state]}] ${title}${kind === 'cleanup' ? ' (cleanup)' : ''}`,
    ),
  ].join('\n')
}

const MARKS = { done: 'x', next: '>', open: ' ' } as const
