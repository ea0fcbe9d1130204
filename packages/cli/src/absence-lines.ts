import type { AbsenceEvent } from '@vault/migration/http'
import { writeAbsence } from './event-lines.ts'
import { humanSeconds } from './human.ts'
import type { Output } from './output.ts'
import type { Progress } from './progress.ts'
import type { RemoteOptions } from './remote-end.ts'

/** The same options, by which a server that goes away is told of, and that it is back: a line, and one of JSON where events are kept. */
export function tellingAbsence<Options extends RemoteOptions & { readonly events?: string }>(
  { output, progress }: { readonly output: Output; readonly progress: Progress },
  options: Options,
): Options {
  const absent = (event: AbsenceEvent) => {
    progress.clear()
    output.note(absenceLine(event))
    if (options.events !== undefined) writeAbsence(options.events, event, output)
  }
  return { ...options, absent }
}

/** That a server is away, or back, for people; with the day where that is another one than now. */
export function absenceLine(event: AbsenceEvent, now: Date = new Date()): string {
  if (event.type === 'back') return `${event.url} answers again, after ${humanSeconds(event.ms / 1000)}.`
  const until = new Date(event.until)
  const isToday = until.toDateString() === now.toDateString()
  // Swedes write dates as ISO 8601 does.
  const said = isToday ? until.toLocaleTimeString('en-GB') : until.toLocaleString('sv-SE')
  return `${event.url} does not answer: waiting for it until ${said}.`
}
