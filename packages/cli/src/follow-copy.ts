import type { MigrationEvent, Summary } from '@vault/migration'
import { counted } from './human.ts'
import { MigrationStanding } from './migration-standing.ts'
import type { Run } from './program.ts'

/** Shows how a copy goes on; gives its summary. */
export async function followCopy({ output, progress }: Run, events: AsyncIterable<MigrationEvent>): Promise<Summary> {
  const standing = await MigrationStanding.create()
  for await (const event of events) {
    if (event.type === 'summary') {
      progress.clear()
      return event.summary
    }
    if (event.type === 'finding') {
      progress.clear()
      output.warn(event.finding.message)
    } else if (event.type === 'repaired')
      output.note(`Sent ${counted(event.ids.length, 'object')} again that did not read back.`)
    else if (event.type === 'batch' || event.type === 'checked') progress.show(standing.after(event.progress))
  }
  throw new Error('The run ended without a summary.')
}
