import type { Bytes, KeyId, Link } from '@vault/core'
import { copyBytes, hasFields, isLink, link } from '@vault/core'
import { checkRecord, keyField } from '../record.ts'

/** Which program a document was made with, by its own word: for people to compare. */
export interface Software {
  readonly name: string
  readonly version: string
  /** The SHA-256 of what was installed, 64 lower-case hexadecimal digits, where somebody has taken it. */
  readonly digest: string | null
}

/** As many as a role of a vault can have keys. */
export const MAX_KEYS = 64
/** What all names are made of: they stand in the terminals of others. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/

/** Distinct keys in ascending order, so that a set has one form. */
export function keysField(type: string, name: string, value: unknown): readonly KeyId[] {
  const keys = listField(type, name, value, MAX_KEYS).map((key) => keyField(type, name, key))
  checkAscending(type, name, keys)
  return keys
}

export function linkField(type: string, name: string, value: unknown): Link {
  checkRecord(isLink(value), type, `"${name}" is no link`)
  return link(value.id)
}

export function bytesField(type: string, name: string, value: unknown, length?: number): Bytes {
  checkRecord(
    value instanceof Uint8Array && (length === undefined || value.length === length),
    type,
    `"${name}" is not ${length ?? 'any'} bytes`,
  )
  return copyBytes(value)
}

export function listField(type: string, name: string, value: unknown, most: number): readonly unknown[] {
  checkRecord(Array.isArray(value) && value.length <= most, type, `"${name}" is no list of at most ${most}`)
  return value
}

export function checkAscending(type: string, name: string, texts: readonly string[]): void {
  checkRecord(
    texts.every((text, i) => i === 0 || (texts[i - 1] as string) < text),
    type,
    `"${name}" is not distinct and in ascending order`,
  )
}

export function nameField(type: string, name: string, value: unknown): string {
  checkRecord(typeof value === 'string' && NAME.test(value), type, `"${name}" is no name`)
  return value
}

export function softwareField(type: string, value: unknown): Software {
  checkRecord(
    hasFields(value, 'name', 'version', 'digest'),
    type,
    '"software" is not a map of name, version and digest',
  )
  const { digest } = value
  checkRecord(
    digest === null || (typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)),
    type,
    'the digest of the software is neither null nor 64 hexadecimal digits',
  )
  return {
    name: nameField(type, 'name', value.name),
    version: nameField(type, 'version', value.version),
    digest,
  }
}
