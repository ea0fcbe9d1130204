import { UsageError } from './exit-code.ts'

/** A whole number from the command line, at least `least`. */
export function parseCount(option: string, text: string, least = 1): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < least)
    throw new UsageError(`${option} takes a whole number from ${least} on.`)
  return count
}
