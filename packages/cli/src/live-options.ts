import type { LiveTerms } from '@vault/migration'
import type { Command } from 'commander'
import { UsageError } from './exit-code.ts'
import { parseCount } from './parse-count.ts'

/** What a move may ask of those who write meanwhile. */
export interface LiveOptions {
  readonly live?: boolean
  readonly maxPause?: string
  readonly diverging?: string
  readonly svg?: string
}

const WAYS = ['throttle', 'raise', 'abort'] as const

export function addLiveOptions(command: Command): Command {
  return command
    .option('--live', 'others write meanwhile: catch up with them first, and keep them waiting only for a moment')
    .option('--max-pause <ms>', 'with --live: for how long a writer waits at most; default: 1000')
    .option(
      '--diverging <way>',
      'with --live, where writers are too fast: throttle them (default), raise the pause, or abort',
    )
    .option('--svg <file>', 'with --live: draw rounds, changes left and the pause into this file')
}

/** The terms; `undefined` where the move is not live, or goes on with those that it has. */
export function liveTermsOf({ live = false, maxPause, diverging, svg }: LiveOptions): LiveTerms | undefined {
  const way = WAYS.find((one) => one === diverging)
  if (diverging !== undefined && way === undefined) throw new UsageError(`--diverging is one of ${WAYS.join(', ')}.`)
  if (!live) {
    if ((maxPause ?? diverging ?? svg) !== undefined)
      throw new UsageError('--max-pause, --diverging and --svg are for --live.')
    return undefined
  }
  const maxPauseMs = maxPause === undefined ? undefined : parseCount('--max-pause', maxPause)
  if (maxPauseMs !== undefined && maxPauseMs > 600_000)
    throw new UsageError('--max-pause is at most 600000 milliseconds.')
  return { ...(maxPauseMs !== undefined && { maxPauseMs }), ...(way && { diverging: way }) }
}
