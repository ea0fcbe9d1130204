import type { Work } from '../work.ts'
import { isLiveSource } from './live-source.ts'
import type { WriterNotice } from './writer-notice.ts'

// Milliseconds after which a delay counts no more unless it is said again.
const HOLDS = 10_000

/** Tells writers what this move asks of them, where its source can; where it goes stands in it from the first word on. */
export async function steer(
  { state, parts, clock, options }: Work,
  { delayMs, waitMs }: Pick<WriterNotice, 'delayMs' | 'waitMs'>,
): Promise<void> {
  const { source, target, address = null } = parts
  if (!isLiveSource(source)) return
  const { label, instance } = target
  const until = clock().getTime() + HOLDS
  await source.steer({ migration: state.migration, delayMs, until, waitMs, to: { label, instance, address } }, options)
}
