import { open } from 'node:fs/promises'
import type { MoveEvent, RehearsalEvent } from '@vault/migration'
import type { Output } from './output.ts'

/** What a line is made of. */
type Event = MoveEvent | RehearsalEvent

/**
 * The same events; each is a line of JSON before it is passed on: added to a file, or with `-` on stdout, where the result follows.
 * A line that cannot be written stops the migration, which a resume goes on with.
 */
export async function* writeEvents<E extends Event>(
  file: string,
  events: AsyncIterable<E>,
  output: Output,
): AsyncGenerator<E> {
  await using handle = file === '-' ? undefined : await open(file, 'a')
  for await (const event of events) {
    const line = `${JSON.stringify({ at: new Date().toISOString(), ...described(event) })}\n`
    await (handle === undefined ? output.raw(line) : handle.appendFile(line))
    yield event
  }
}

/** An event without lists of ids and without documents. */
function described(event: Event): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case 'batch': {
      const { batch, progress } = event
      const count = 'ids' in batch ? batch.ids.length : 'keys' in batch ? batch.keys.length : batch.entries
      return { type: 'batch', kind: batch.type, count, progress }
    }
    case 'repaired':
      return { type: 'repaired', count: event.ids.length }
    case 'moved': {
      const { migration, phase, sent, reason } = event.state
      return { type: 'moved', migration_id: migration, phase, sent, ...(reason !== null && { reason }) }
    }
    case 'rehearsed': {
      const { migration, ok, failed, steps, pauseMs } = event.rehearsal
      return { type: 'rehearsed', migration_id: migration, ok, failed, steps, pause_ms: pauseMs }
    }
    case 'step':
      return { type: 'step', effect: event.step.effect, phase: event.phase, title: event.step.title }
    case 'round': {
      const { dirty, left, ms, estimateMs, throttleMs, goalMs, walked } = event.round
      const times = { ms, estimate_ms: estimateMs, throttle_ms: throttleMs, goal_ms: goalMs }
      return { type: 'round', dirty, left, ...times, walked }
    }
    default:
      return event
  }
}
