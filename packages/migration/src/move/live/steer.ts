import type { SourceWork } from '../work.ts'
import { isLiveSource } from './live-source.ts'
import type { WriterNotice } from './writer-notice.ts'
import { NOTICE_HOLDS } from './writer-notice.ts'

/** Tells writers what this move asks of them, where its source can; where it goes stands in it from the first word on. */
export async function steer(
  { state, parts, clock, driver, options }: SourceWork,
  { delayMs, waitMs }: Pick<WriterNotice, 'delayMs' | 'waitMs'>,
): Promise<void> {
  const { source, target, address = null } = parts
  if (!isLiveSource(source)) return
  const { label, instance } = target
  const until = clock().getTime() + NOTICE_HOLDS
  const to = { label, instance, address }
  await source.steer({ migration: state.migration, driver, delayMs, until, waitMs, to }, options)
}
