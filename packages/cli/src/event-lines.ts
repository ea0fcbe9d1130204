import { appendFile, open } from 'node:fs/promises'
import type { MoveEvent, RehearsalEvent } from '@vault/migration'
import type { AbsenceEvent, DistantEvent } from '@vault/migration/http'
import type { Output } from './output.ts'
import { outputFileFailed } from './output-files.ts'

/** What a line is made of. */
type Event = MoveEvent | RehearsalEvent | DistantEvent
type Told = DistantEvent | Extract<RehearsalEvent, { type: 'rehearsed' }>

/**
 * The same events; each is a line of JSON before it is passed on: added to a file, or with `-` on stdout, where the result follows.
 * A line that cannot be written stops the migration, which a resume goes on with. Throws `OUTPUT_FILE_FAILED`.
 */
export async function* writeEvents<E extends Event>(
  file: string,
  events: AsyncIterable<E>,
  output: Output,
): AsyncGenerator<E> {
  const { toldEvent } = await import('@vault/migration')
  const told = (event: Event): Told => {
    return (event.type === 'batch' || event.type === 'repaired') && !('count' in event) ? toldEvent(event) : event
  }
  const failed = (error: unknown): never => {
    throw outputFileFailed(
      file,
      error,
      'It was stopped there: with a file that can be written, the same command goes on.',
    )
  }
  await using handle = file === '-' ? undefined : await open(file, 'a').catch(failed)
  for await (const event of events) {
    const line = lineOf(told(event))
    await (handle === undefined ? output.raw(line) : handle.appendFile(line).catch(failed))
    yield event
  }
}

/** The same of an event that nobody waits for: where its line cannot be written, the next one of the migration says so. */
export function writeAbsence(file: string, event: AbsenceEvent, output: Output): void {
  const written = file === '-' ? output.raw(lineOf(event)) : appendFile(file, lineOf(event))
  written.catch(() => {})
}

function lineOf(event: Told): string {
  return `${JSON.stringify({ at: new Date().toISOString(), ...described(event) })}\n`
}

/** An event without documents, and with numbers where it has parts. */
function described(event: Told): Readonly<Record<string, unknown>> {
  switch (event.type) {
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
