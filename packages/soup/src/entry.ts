import type { Bytes, ContentId } from '@vault/core'
import { contentId, decode, encode, hashBytes, isContentId, isLink, isVaultError, link, utf8 } from '@vault/core'
import type { FieldValue } from './field-value.ts'
import { fieldValueFault, isFieldMap } from './field-value.ts'
import { shown, soupError } from './soup-error.ts'

/**
 * Mutable metadata under a key. Two entries with equal content have equal bytes whoever wrote them and whenever:
 * an entry holds no times of its own making and no sequence number.
 */
export interface Entry {
  /** Well-formed UTF-8, 1 to 4,096 bytes. `path:<path>` names an object, `obj:<id>` describes one, `ref:<name>` points to one. */
  readonly key: string
  /** Its type declares what may happen to it: see `contractOf`. */
  readonly type: string
  /** The object it names; it stays under charge as long as the entry does. */
  readonly object?: ContentId
  readonly fields: Readonly<Record<string, FieldValue>>
  /** Id of the version before, where the type keeps its history. Filled in by the soup. */
  readonly previous?: ContentId
}

/** Length of an entry's canonical bytes, at most. */
export const MAX_ENTRY_LENGTH: number = 64 * 1024

/** Length of a key in UTF-8 bytes, at most. */
export const MAX_KEY_LENGTH = 4096

const FORMAT_VERSION = 1
const TYPE = /^[a-z][a-z0-9-]{0,63}$/
const REQUIRED = ['fields', 'key', 'type', 'v']
const OPTIONAL = ['object', 'previous']

/** The types of the vault's own entries. A key that begins with one of these words and a colon has that type, and only such a key. */
const TYPE_OF_PREFIX: ReadonlyMap<string, string> = new Map([
  ['path', 'path'],
  ['obj', 'object'],
  ['ref', 'ref'],
  ['type', 'type'],
])
const PREFIXED_TYPES: ReadonlySet<string> = new Set(TYPE_OF_PREFIX.values())

/** The canonical bytes of an entry: formats/entry.md. Throws `SOUP_INVALID`. */
export function encodeEntry(entry: Entry): Bytes {
  const fault = entryFault(entry)
  if (fault !== undefined) throw invalid(fault)
  const bytes = encodeMap(entry)
  if (bytes.length > MAX_ENTRY_LENGTH)
    throw invalid(`${shown(entry.key)} takes ${bytes.length} of ${MAX_ENTRY_LENGTH} bytes`)
  return bytes
}

/** The entry with these canonical bytes, sharing no memory with them. Throws `SOUP_INVALID`. */
export function decodeEntry(bytes: Uint8Array): Entry {
  if (bytes.length > MAX_ENTRY_LENGTH) throw invalid(`${bytes.length} bytes are more than ${MAX_ENTRY_LENGTH}`)
  const value = decodeMap(bytes)
  const names = Object.keys(value)
  const unknown = names.find((name) => !REQUIRED.includes(name) && !OPTIONAL.includes(name))
  if (unknown !== undefined) throw invalid(`it has an unknown member ${shown(unknown)}`)
  const missing = REQUIRED.find((name) => !names.includes(name))
  if (missing !== undefined) throw invalid(`it has no member ${missing}`)
  if (value.v !== FORMAT_VERSION) throw invalid('its version is not 1; newer software wrote it')
  const { key, type, fields } = value
  const entry = { key, type, ...linked(value, 'object'), fields, ...linked(value, 'previous') }
  const fault = entryFault(entry)
  if (fault !== undefined) throw invalid(fault)
  return entry as Entry
}

/** An entry's key in the entry table. */
export function entryKey(key: string): Bytes {
  return hashBytes('sha2-256', utf8(key))
}

/** An entry's value in the entry table. */
export function entryValue(bytes: Uint8Array): Bytes {
  return hashBytes('sha2-256', bytes)
}

/** The id of a version of an entry, from its canonical bytes. Always of SHA-256, whatever hash the vault's content has. */
export function versionId(bytes: Uint8Array): ContentId {
  return contentId(bytes, { hash: 'sha2-256', codec: 'dag-cbor' })
}

/** Refuses with `SOUP_INVALID` a text that no entry can have as its key. */
export function checkKey(key: string): void {
  const fault = keyFault(key)
  if (fault !== undefined) throw invalid(fault)
}

/** Whether a text can be the name of a type. */
function isTypeName(name: unknown): name is string {
  return typeof name === 'string' && TYPE.test(name)
}

function entryFault(entry: { readonly [name in keyof Entry]?: unknown }): string | undefined {
  const { key, type, object, fields, previous } = entry
  const fault = keyFault(key)
  if (fault !== undefined) return fault
  const name = shown(key as string)
  if (!isTypeName(type)) return `the type of ${name} is not of the form [a-z][a-z0-9-]{0,63}`
  const bound = boundFault(key as string, type)
  if (bound !== undefined) return bound
  if (object !== undefined && !isContentId(object)) return `the object of ${name} is no content id`
  if (previous !== undefined && !isContentId(previous)) return `the previous version of ${name} is no content id`
  if (!isFieldMap(fields)) return `the fields of ${name} are no map`
  const unfit = fieldValueFault(fields)
  return unfit === undefined ? undefined : `in the fields of ${name}, ${unfit}`
}

function keyFault(key: unknown): string | undefined {
  if (typeof key !== 'string' || !key.isWellFormed()) return 'its key is no well-formed text'
  const length = key.length > MAX_KEY_LENGTH ? key.length : utf8(key).length
  if (length === 0 || length > MAX_KEY_LENGTH) return `its key ${shown(key)} is not 1 to ${MAX_KEY_LENGTH} bytes long`
  return undefined
}

function boundFault(key: string, type: string): string | undefined {
  const colon = key.indexOf(':')
  const bound = colon === -1 ? undefined : TYPE_OF_PREFIX.get(key.slice(0, colon))
  if (bound === undefined) return PREFIXED_TYPES.has(type) ? `${shown(key)} is no key for the type ${type}` : undefined
  if (bound !== type) return `the key ${shown(key)} is for the type ${bound}, not ${type}`
  const name = key.slice(colon + 1)
  if (name === '') return `the key ${shown(key)} names nothing`
  if (bound === 'object' && !isContentId(name)) return `the key ${shown(key)} names no content id`
  if (bound === 'type' && !isTypeName(name)) return `the key ${shown(key)} names no type`
  return undefined
}

function linked(value: Readonly<Record<string, unknown>>, name: 'object' | 'previous'): { [name]?: ContentId } {
  const target = value[name]
  if (target === undefined) return {}
  if (!isLink(target)) throw invalid(`its ${name} is no link`)
  return { [name]: target.id }
}

function encodeMap({ key, type, object, fields, previous }: Entry): Bytes {
  const objectLink = object === undefined ? {} : { object: link(object) }
  const previousLink = previous === undefined ? {} : { previous: link(previous) }
  try {
    return encode({ v: FORMAT_VERSION, key, type, fields, ...objectLink, ...previousLink })
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw invalid(`${shown(key)} has no canonical bytes`, cause)
  }
}

function decodeMap(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = decode(bytes)
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw invalid('its bytes are not canonical DAG-CBOR', cause)
  }
  if (!isFieldMap(value)) throw invalid('its bytes are no map')
  return value
}

function invalid(why: string, cause?: unknown): Error {
  return soupError('SOUP_INVALID', `Not an entry: ${why}.`, {}, cause)
}
