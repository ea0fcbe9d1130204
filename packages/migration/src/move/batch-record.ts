import type { AbortOptions, Bytes, ContentId, KeyId, Link, Random, Signer } from '@vault/core'
import { concatBytes, contentId, countSigners, decodeEnvelope, encodeEnvelope, idBytes, link, toHex } from '@vault/core'
import { count, hex, linked, nullable } from '../records/field.ts'
import type { RecordHead } from '../records/record.ts'
import { recordFormat, requireFields } from '../records/record.ts'
import type { BatchContent } from './move-endpoint.ts'

/**
 * What the source sent in a batch, signed by its place: the target keeps it with the number that it gives the batch, and can give back
 * nothing else. The block that it names lists the ids: those of the objects that came, then those that went, 36 bytes each.
 */
export interface BatchRecord extends RecordHead<'migration-batch'> {
  readonly migration: string
  /** 32 hexadecimal digits, drawn for the batch. */
  readonly id: string
  readonly objects: number
  readonly bytes: number
  readonly entries: number
  readonly versions: number
  readonly objects_removed: number
  readonly entries_removed: number
  /** `null` where no object came or went. */
  readonly list: Link | null
}

const TYPE = 'migration-batch'

const format = recordFormat<typeof TYPE, BatchRecord>(TYPE, {
  migration: hex(32),
  id: hex(32),
  objects: count,
  bytes: count,
  entries: count,
  versions: count,
  objects_removed: count,
  entries_removed: count,
  list: nullable(linked),
})

/** The record of a batch, and the block it names. */
export function describeBatch(
  { migration, objects, entries, versions }: BatchContent,
  random: Random,
): { readonly record: BatchRecord; readonly list?: { readonly id: ContentId; readonly bytes: Bytes } } {
  const { add = [], remove = [] } = objects ?? {}
  const bytes = concatBytes(...add.map(({ id }) => idBytes(id)), ...remove.map(idBytes))
  const list = bytes.length === 0 ? undefined : { id: contentId(bytes, { hash: 'sha2-256' }), bytes }
  const record: BatchRecord = {
    type: TYPE,
    v: 1,
    migration,
    id: toHex(random(16)),
    objects: add.length,
    bytes: add.reduce((sum, { size }) => sum + size, 0),
    entries: entries?.put?.length ?? 0,
    versions: versions?.length ?? 0,
    objects_removed: remove.length,
    entries_removed: entries?.remove?.length ?? 0,
    list: list === undefined ? null : link(list.id),
  }
  return { record, ...(list === undefined ? {} : { list }) }
}

/** The signed form. */
export async function signBatchRecord(record: BatchRecord, place: Signer, options?: AbortOptions): Promise<Bytes> {
  return encodeEnvelope(await format.sign(record, [place], options))
}

/** A record as the target gives it back. Throws what says that this place did not write it, or not for this migration. */
export function verifyBatchRecord(
  bytes: Uint8Array,
  { place, ...expected }: { readonly migration: string; readonly place: KeyId },
): BatchRecord {
  const envelope = decodeEnvelope(bytes)
  const record = format.parse(envelope.payload)
  requireFields(record, expected)
  countSigners(envelope, TYPE, { keys: [place], threshold: 1 })
  return record
}
