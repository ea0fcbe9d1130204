import type { AbortOptions, ContentId } from '@vault/core'
import { decode, encode, hasFields } from '@vault/core'
import type { Records } from '@vault/soup'
import { changeRecord } from '@vault/soup'

/**
 * Keeps how many entries the log of a vault has when a key event takes effect. Written before the event, of which the record has the
 * name: where that never comes, nobody asks for it. Durable when it resolves.
 */
export async function keepLogBound(
  records: Records,
  event: ContentId,
  size: number,
  options?: AbortOptions,
): Promise<void> {
  await changeRecord(records, keyOf(event), () => encode({ log: size }), options)
}

/** What was kept for this key event; `undefined` where it took effect at another place. */
export async function readLogBound(
  records: Records,
  event: ContentId,
  options?: AbortOptions,
): Promise<number | undefined> {
  const record = await records.read(keyOf(event), options)
  const value = record && decode(record.bytes)
  return hasFields(value, 'log') && typeof value.log === 'number' ? value.log : undefined
}

function keyOf(event: ContentId): string {
  return `key-event/${event}/log`
}
