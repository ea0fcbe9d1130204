import { isLink } from './link.ts'

/** Whether a decoded value is a map with exactly these keys. What is unknown is refused: it may change what the rest means. */
export function hasFields<Key extends string>(
  value: unknown,
  ...keys: readonly Key[]
): value is Readonly<Record<Key, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isLink(value)) return false
  return keys.every((key) => Object.hasOwn(value, key)) && Object.keys(value).length === keys.length
}
