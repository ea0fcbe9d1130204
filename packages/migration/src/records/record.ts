import type { AbortOptions, Bytes, ContentId, Envelope, Signer } from '@vault/core'
import { contentId, decode, encode, isLink, signEnvelope } from '@vault/core'
import { foreignRecord, invalidRecord } from './error.ts'
import type { Fields } from './field.ts'
import { exactly, FieldFault, map } from './field.ts'

// The largest, a hand-off, has a signed note in it, and stands in an audit entry.
const MAX_LENGTH = 48 * 1024
const MAX_DEPTH = 16

/** What every record begins with. */
export interface RecordHead<Type extends string> {
  /** Also the type under which the record is signed. */
  readonly type: Type
  readonly v: 1
}

/** How the records of one type are written, read, named and signed. */
export interface RecordFormat<T> {
  /** The canonical bytes: what is signed. */
  encode(record: T): Bytes
  /** Throws `MIGRATION_RECORD_INVALID`, naming the field. Verifies no signature. */
  parse(payload: Uint8Array): T
  /** The content id of the canonical bytes. */
  id(record: T): ContentId
  /** Throws `MIGRATION_RECORD_INVALID` before anything is signed, and what the signers throw. */
  sign(record: T, signers: readonly Signer[], options?: AbortOptions): Promise<Envelope>
}

export function recordFormat<Type extends string, T extends RecordHead<Type>>(
  type: Type,
  fields: Fields<Omit<T, 'type' | 'v'>>,
  maxBytes: number = MAX_LENGTH,
): RecordFormat<T> {
  const whole = map<unknown>({ type: exactly(type), v: exactly(1), ...fields } as Fields<unknown>)
  const parse = (payload: Uint8Array): T => {
    let value: unknown
    try {
      value = decode(payload, { maxBytes, maxDepth: MAX_DEPTH })
    } catch (cause) {
      throw invalidRecord(type, 'the payload', `is not canonical DAG-CBOR of at most ${maxBytes} bytes`, cause)
    }
    try {
      return whole(value, type) as T
    } catch (cause) {
      if (!(cause instanceof FieldFault)) throw cause
      throw invalidRecord(type, cause.field.slice(type.length + 1) || 'the payload', cause.reason, cause.cause)
    }
  }
  return {
    encode,
    parse,
    id: (record) => contentId(encode(record), { hash: 'sha2-256', codec: 'dag-cbor' }),
    async sign(record, signers, options) {
      const payload = encode(record)
      parse(payload)
      return await signEnvelope(type, payload, signers, options)
    },
  }
}

/** Refuses with `MIGRATION_RECORD_FOREIGN` a record that has another value in one of these fields. */
export function requireFields<T extends RecordHead<string>>(
  record: T,
  expected: { readonly [Name in keyof T]?: T[Name] extends { readonly id: ContentId } ? ContentId : T[Name] },
): void {
  for (const [field, wanted] of Object.entries(expected)) {
    const actual = record[field as keyof T]
    if ((isLink(actual) ? actual.id : actual) !== wanted) throw foreignRecord(record.type, field)
  }
}
