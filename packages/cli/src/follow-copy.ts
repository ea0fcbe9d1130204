import type { MigrationEvent, Summary } from '@vault/migration'
import { counted } from './human.ts'
import type { Run } from './program.ts'

const LABELS: Readonly<Record<string, string>> = { transfer: 'Transferring', verify: 'Verifying' }

/** Shows how a copy goes on; gives its summary. */
export async function followCopy({ output, progress }: Run, events: AsyncIterable<MigrationEvent>): Promise<Summary> {
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
    else if (event.type === 'batch' || event.type === 'checked') {
      const { phase, objects, bytes } = event.progress
      progress.show({
        label: LABELS[phase] ?? phase,
        ...objects,
        bytes: bytes.done,
        ...(bytes.total !== undefined && { totalBytes: bytes.total }),
      })
    }
  }
  throw new Error('The run ended without a summary.')
}
