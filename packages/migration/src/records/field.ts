import type { Bytes, ContentId, KeyId, Link } from '@vault/core'
import { copyBytes, isContentId, isLink, parseKeyId } from '@vault/core'

/** Reads a decoded value as a field; throws a {@link FieldFault} for what it may not be. */
export type Field<T> = (value: unknown, name: string) => T

/** The fields of a map: exactly these. */
export type Fields<T> = { readonly [Name in keyof T]-?: Field<T[Name]> }

/** What is wrong with a field, before the document that has it is named. */
export class FieldFault extends Error {
  readonly field: string
  readonly reason: string

  constructor(field: string, reason: string, cause?: unknown) {
    super(`${field} ${reason}`, { cause })
    this.field = field
    this.reason = reason
  }
}

/** A map with exactly these fields: one that is unknown may change what the rest means. */
export function map<T>(fields: Fields<T>): Field<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return (value, name) => {
    if (!isMap(value)) throw new FieldFault(name, 'is no map')
    const parsed: Partial<T> = {}
    for (const key of names) {
      if (!Object.hasOwn(value, key)) throw new FieldFault(`${name}.${key}`, 'is missing')
      parsed[key] = fields[key](value[key], `${name}.${key}`)
    }
    const unknown = Object.keys(value).find((key) => !Object.hasOwn(fields, key))
    if (unknown !== undefined) throw new FieldFault(`${name}.${shown(unknown)}`, 'is unknown')
    return parsed as T
  }
}

/** A map that is told from others by its field `mode`. */
export function variant<T extends { readonly mode: string }>(
  modes: {
    readonly [Mode in T['mode']]: Field<Extract<T, { readonly mode: Mode }>>
  },
): Field<T> {
  return (value, name) => {
    if (!isMap(value)) throw new FieldFault(name, 'is no map')
    const { mode } = value
    if (typeof mode !== 'string' || !Object.hasOwn(modes, mode)) throw new FieldFault(`${name}.mode`, 'is unknown')
    return (modes[mode as T['mode']] as Field<T>)(value, name)
  }
}

export function list<T>(item: Field<T>, most: number, least = 0): Field<readonly T[]> {
  return (value, name) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      throw new FieldFault(name, `is no list of ${least} to ${most}`)
    }
    return value.map((each, i) => item(each, `${name}[${i}]`))
  }
}

export function nullable<T>(field: Field<T>): Field<T | null> {
  return (value, name) => (value === null ? null : field(value, name))
}

export function exactly<T extends string | number>(expected: T): Field<T> {
  return (value, name) => {
    if (value !== expected) throw new FieldFault(name, `is not ${JSON.stringify(expected)}`)
    return expected
  }
}

/** A natural number. */
export const count: Field<number> = (value, name) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new FieldFault(name, 'is no natural number')
  return value as number
}

/** The largest epoch: those after it are still numbers that every reader can count. */
const MAX_EPOCH: number = 2 ** 52

/** An epoch in which a vault becomes active, or goes on: from 1. */
export const epoch: Field<number> = (value, name) => {
  const number = count(value, name)
  if (number < 1 || number > MAX_EPOCH) throw new FieldFault(name, 'is no number from 1 to 2^52')
  return number
}

/** A number from 0 to 1. */
export const share: Field<number> = (value, name) => {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw new FieldFault(name, 'is no number from 0 to 1')
  return value
}

/** Text of 1 to so many UTF-16 units. */
export function text(most: number): Field<string> {
  return (value, name) => {
    if (typeof value !== 'string' || value.length === 0 || value.length > most) {
      throw new FieldFault(name, `is no text of 1 to ${most} characters`)
    }
    return value
  }
}

/** So many lower-case hexadecimal digits. */
export function hex(digits: number): Field<string> {
  return (value, name) => {
    if (typeof value !== 'string' || value.length !== digits || !/^[0-9a-f]*$/.test(value)) {
      throw new FieldFault(name, `is not ${digits} lower-case hexadecimal digits`)
    }
    return value
  }
}

/** Bytes, so many or at least one; they share no memory with the input. */
export function bytes({ length, most }: { readonly length?: number; readonly most?: number }): Field<Bytes> {
  return (value, name) => {
    if (!(value instanceof Uint8Array)) throw new FieldFault(name, 'is not bytes')
    if (length !== undefined && value.length !== length) throw new FieldFault(name, `has not ${length} bytes`)
    if (value.length === 0 || value.length > (most ?? value.length))
      throw new FieldFault(name, `has not 1 to ${most} bytes`)
    return copyBytes(value)
  }
}

export const linked: Field<Link> = (value, name) => {
  if (!isLink(value)) throw new FieldFault(name, 'is no link')
  return value
}

/** A content id as text. */
export const id: Field<ContentId> = (value, name) => {
  if (!isContentId(value)) throw new FieldFault(name, 'is no content id')
  return value
}

export const key: Field<KeyId> = (value, name) => {
  try {
    return parseKeyId(value)
  } catch (cause) {
    throw new FieldFault(name, 'is no key id', cause)
  }
}

/** A name from outside, as it may stand in a message. */
function shown(name: string): string {
  return /^\w{1,80}$/.test(name) ? name : JSON.stringify(name.slice(0, 80))
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !isLink(value)
  )
}
