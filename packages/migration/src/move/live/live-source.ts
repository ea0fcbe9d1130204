import type { AbortOptions } from '@vault/core'
import type { LogEnd, MoveSource } from '../move-endpoint.ts'
import type { WriterNotice } from './writer-notice.ts'

/** A source that others write while it moves. */
export interface LiveSource extends MoveSource {
  /** Tells those who write the vault what the move asks of them, in the place of what they were told before. Durable when it resolves. */
  steer(notice: Omit<WriterNotice, 'type' | 'v'>, options?: AbortOptions): Promise<void>
  /** Where the log ends when everything is in it that was committed before the call; it goes on from there. */
  logEnd(options?: AbortOptions): Promise<LogEnd>
}

export function isLiveSource(source: MoveSource): source is LiveSource {
  return 'steer' in source && 'logEnd' in source
}
