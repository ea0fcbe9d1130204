import type { AbortOptions, Bytes, ContentId, Envelope, KeyId, Signer } from '@vault/core'
import { contentId, decode, encode, hasFields, isVaultError, parseKeyId, signEnvelope } from '@vault/core'
import { invalidRecord } from './error.ts'
import type { Principal } from './principal.ts'
import { isVault, namesIn, parsePrincipal } from './principal.ts'

interface RecordLimits {
  readonly maxBytes: number
  readonly maxDepth: number
  readonly maxItems: number
}

// A certificate has two principals of at most 64 keys, 4 KiB each, and a tag. The tag alone may nest 16 deep, two levels each.
const LIMITS: RecordLimits = { maxBytes: 64 * 1024, maxDepth: 48, maxItems: 8_192 }

/** What every record begins with. */
export interface RecordHead<Type extends string> {
  /** Also the type under which it is signed. */
  readonly type: Type
  readonly v: 1
}

/** A record that was read, with what it is called. Nothing is verified yet. */
export interface Opened<T> {
  /** Content id of the payload (dag-cbor, SHA-256): the same whoever signs. */
  readonly id: ContentId
  readonly record: T
  readonly envelope: Envelope
}

/** How the records of one type are written and read. */
export interface RecordFormat<T> {
  /** The canonical bytes: what is signed. Throws what reading them would throw. */
  payload(record: T): Bytes
  /** Signs it. Signers that are not in one place sign the payload each, and `mergeEnvelopes` joins them. */
  sign(record: T, signers: readonly Signer[], options?: AbortOptions): Promise<Envelope>
  /** Throws `CAPS_RECORD_INVALID`, `CAPS_PRINCIPAL_INVALID`, `CAPS_TAG_INVALID`. Verifies no signature. */
  open(envelope: Envelope): Opened<T>
  /** The same for a payload that was decoded by `decodeRecord`, to see of which type it is. */
  openDecoded(envelope: Envelope, value: unknown): Opened<T>
}

/** The fields of a record beside `type` and `v`. */
type Rest<T> = Omit<T, 'type' | 'v'>

export function recordFormat<Type extends string, T extends RecordHead<Type>>(
  type: Type,
  names: readonly (keyof Rest<T> & string)[],
  parse: (fields: Readonly<Record<keyof Rest<T>, unknown>>) => Rest<T>,
  limits: { readonly maxBytes: number; readonly maxItems: number } = LIMITS,
): RecordFormat<T> {
  const decoded = (payload: Uint8Array): unknown => decodeRecord(type, payload, { ...LIMITS, ...limits })
  const read = (value: unknown): T => {
    checkRecord(hasFields<string>(value, 'type', 'v', ...names), type, 'its fields are not those of the format')
    checkRecord(isOfType(value, type) && value.v === 1, type, 'it has another type or version')
    return { type, v: 1, ...parse(value as Readonly<Record<keyof Rest<T>, unknown>>) } as T
  }
  const payload = (record: T): Bytes => {
    const bytes = encode(record)
    read(decoded(bytes))
    return bytes
  }
  const openDecoded = (envelope: Envelope, value: unknown): Opened<T> => ({
    id: contentId(envelope.payload, { hash: 'sha2-256', codec: 'dag-cbor' }),
    record: read(value),
    envelope,
  })
  return {
    payload,
    openDecoded,
    sign: async (record, signers, options) => await signEnvelope(type, payload(record), signers, options),
    open: (envelope) => openDecoded(envelope, decoded(envelope.payload)),
  }
}

/** Throws `CAPS_RECORD_INVALID` unless the condition holds. */
export function checkRecord(condition: boolean, type: string, reason: string): asserts condition {
  if (!condition) throw invalidRecord(type, reason)
}

/** A decoded value as a natural number, which is also how times are written: in seconds since 1970. */
export function natural(type: string, name: string, value: unknown): number {
  checkRecord(
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
    type,
    `"${name}" is no natural number`,
  )
  return value
}

/** A decoded value as a key id. */
export function keyField(type: string, name: string, value: unknown): KeyId {
  try {
    return parseKeyId(value)
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw invalidRecord(type, `"${name}" is no key id`, cause)
  }
}

/** Whole seconds since 1970. */
export function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

/** Who signs a record and, for a vault, at which of its key events. */
export interface Issuer {
  readonly issuer: Principal
  /** The number of the key event whose operators sign; `null` where the issuer is not a vault. */
  readonly epoch: number | null
}

export function parseIssuer(type: string, issuer: unknown, epoch: unknown): Issuer {
  const principal = parsePrincipal(issuer)
  // Who it is changes, and with that whether it was signed by whoever it is.
  checkRecord(namesIn(principal).length === 0, type, 'a name signs nothing, nor does a threshold with names in it')
  checkRecord(isVault(principal) === (epoch !== null), type, '"epoch" stands with a vault as issuer and only there')
  return { issuer: principal, epoch: epoch === null ? null : natural(type, 'epoch', epoch) }
}

/** Whether a decoded value says that it is a record of this type. */
export function isOfType(value: unknown, type: string): boolean {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === type
}

/** The value of a payload, under the limits of certificates if none are named. Throws `CAPS_RECORD_INVALID`, which calls it by this type. */
export function decodeRecord(type: string, payload: Uint8Array, limits: RecordLimits = LIMITS): unknown {
  try {
    return decode(payload, limits)
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw invalidRecord(type, `it is not strict DAG-CBOR of at most ${limits.maxBytes} bytes`, cause)
  }
}
