import type { AbortOptions, ContentId } from '@vault/core'
import { decode, encode } from '@vault/core'
import type { Records } from '@vault/soup'
import { changeRecord } from '@vault/soup'
import { superseded } from '../journal.ts'

/**
 * What those who write a vault at a place are told by a move of it: `formats/migration-records.md`. Whoever commits reads it before: no
 * lock and no lease. It slows down and leads; what keeps two places from writing is the tenure alone.
 */
export interface WriterNotice {
  readonly type: 'writer-notice'
  readonly v: 1
  readonly migration: string
  /** Which run of the migration says so: one that was overtaken says nothing any more. */
  readonly driver?: number
  /** Milliseconds to wait before each change. */
  readonly delayMs: number
  /** Until when they count, in milliseconds since 1970: nobody is slowed down by a move whose process has died. */
  readonly until: number
  /** Milliseconds for which a writer that finds the vault quiesced waits for it to be active again, or to have moved. */
  readonly waitMs: number
  /** Where it goes. `address`: where writers reach it, as far as the one who moves it knows. */
  readonly to: { readonly label: string; readonly instance: string; readonly address: string | null }
}

/** Milliseconds after which a delay counts no more unless it is said again. */
export const NOTICE_HOLDS = 10_000

/** For how long a writer waits before a change. */
export function writerDelay({ delayMs, until }: WriterNotice, at: Date): number {
  const left = until - at.getTime()
  // A longer time was never said: the clock was set back since, and whoever said it may have died.
  return left > 0 && left <= NOTICE_HOLDS ? Math.min(delayMs, left) : 0
}

/** What writers of a vault were told last. */
export async function readWriterNotice(
  records: Records,
  vault: ContentId,
  options?: AbortOptions,
): Promise<WriterNotice | undefined> {
  const record = await records.read(keyOf(vault), options)
  if (record === undefined) return undefined
  const notice = decode(record.bytes) as WriterNotice
  // Of other software: what cannot be understood slows nobody down.
  return notice.type === 'writer-notice' && notice.v === 1 ? notice : undefined
}

/**
 * Tells the writers of a vault, in the place of what they were told before. Durable when it resolves. Throws `MIGRATION_SUPERSEDED` where a
 * later run of this migration has told them something.
 */
export async function tellWriters(
  records: Records,
  vault: ContentId,
  notice: Omit<WriterNotice, 'type' | 'v'>,
  options?: AbortOptions,
): Promise<void> {
  const bytes = encode({ type: 'writer-notice', v: 1, ...notice })
  const change = (before: Uint8Array | undefined) => {
    const { migration, driver = 0 } = before === undefined ? notice : (decode(before) as WriterNotice)
    if (migration === notice.migration && driver > (notice.driver ?? driver)) throw superseded(migration)
    return bytes
  }
  await changeRecord(records, keyOf(vault), change, options)
}

function keyOf(vault: ContentId): string {
  return `writers/${vault}`
}
