import type { Bytes, ContentId, Link } from '@vault/core'
import { concatBytes, contentId, decode, encode, idBytes, link } from '@vault/core'
import type { BatchContent } from './move-endpoint.ts'

/**
 * What a batch wrote, as the trail tells it: numbers, and the block that lists the ids: those of the objects that came,
 * then those that went, 36 bytes each.
 */
export interface BatchRecord {
  readonly objects: number
  readonly bytes: number
  readonly entries: number
  readonly versions: number
  readonly objects_removed: number
  readonly entries_removed: number
  /** Absent where no object came or went. */
  readonly list?: Link
}

/** The record of a batch, and the block it names. */
export function describeBatch({ objects, entries, versions }: BatchContent): {
  readonly record: BatchRecord
  readonly list?: { readonly id: ContentId; readonly bytes: Bytes }
} {
  const { add = [], remove = [] } = objects ?? {}
  const bytes = concatBytes(...add.map(({ id }) => idBytes(id)), ...remove.map(idBytes))
  const list = bytes.length === 0 ? undefined : { id: contentId(bytes, { hash: 'sha2-256' }), bytes }
  const record = {
    objects: add.length,
    bytes: add.reduce((sum, { size }) => sum + size, 0),
    entries: entries?.put?.length ?? 0,
    versions: versions?.length ?? 0,
    objects_removed: remove.length,
    entries_removed: entries?.remove?.length ?? 0,
    ...(list === undefined ? {} : { list: link(list.id) }),
  }
  return { record, ...(list === undefined ? {} : { list }) }
}

export function encodeBatchRecord(record: BatchRecord): Bytes {
  return encode(record)
}

/** A record as the target gives it back: it is kept there for the source, which wrote it. */
export function decodeBatchRecord(bytes: Uint8Array): BatchRecord {
  return decode(bytes) as BatchRecord
}
