import type { DifferenceStep } from '@vault/transfer'
import type { Progress } from '../event.ts'
import type { MoveEvent } from './move-event.ts'

/** What happens in a move, for those who only look on: without the lists of ids, which grow with the vault. */
export type ToldEvent =
  | Exclude<MoveEvent, { type: 'batch' | 'repaired' }>
  | {
      readonly type: 'batch'
      readonly kind: DifferenceStep['type']
      readonly count: number
      readonly progress: Progress
    }
  | { readonly type: 'repaired'; readonly count: number }

/** An event without its lists. */
export function toldEvent(event: MoveEvent): ToldEvent {
  if (event.type === 'repaired') return { type: 'repaired', count: event.ids.length }
  if (event.type !== 'batch') return event
  const { batch, progress } = event
  const count = 'ids' in batch ? batch.ids.length : 'keys' in batch ? batch.keys.length : batch.entries
  return { type: 'batch', kind: batch.type, count, progress }
}
