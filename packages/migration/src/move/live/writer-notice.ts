import type { AbortOptions, ContentId } from '@vault/core'
import { decode, encode, isVaultError } from '@vault/core'
import type { Records } from '@vault/soup'

/**
 * What those who write a vault at a place are told by a move of it: `formats/migration-records.md`. Whoever commits reads it before: no
 * lock and no lease. It slows down and leads; what keeps two places from writing is the tenure alone.
 */
export interface WriterNotice {
  readonly type: 'writer-notice'
  readonly v: 1
  readonly migration: string
  /** Milliseconds to wait before each change. */
  readonly delayMs: number
  /** Until when they count, in milliseconds since 1970: nobody is slowed down by a move whose process has died. */
  readonly until: number
  /** Milliseconds for which a writer that finds the vault quiesced waits for it to be active again, or to have moved. */
  readonly waitMs: number
  /** Where it goes. `address`: where writers reach it, as far as the one who moves it knows. */
  readonly to: { readonly label: string; readonly instance: string; readonly address: string | null }
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

/** Tells the writers of a vault, in the place of what they were told before. Durable when it resolves. */
export async function tellWriters(
  records: Records,
  vault: ContentId,
  notice: Omit<WriterNotice, 'type' | 'v'>,
  options?: AbortOptions,
): Promise<void> {
  const bytes = encode({ type: 'writer-notice', v: 1, ...notice })
  while (true) {
    const version = (await records.read(keyOf(vault), options))?.version ?? 0
    try {
      await records.swap(keyOf(vault), version, bytes, options)
      return
    } catch (error) {
      if (!isVaultError(error, 'SOUP_CONFLICT')) throw error
    }
  }
}

function keyOf(vault: ContentId): string {
  return `writers/${vault}`
}
