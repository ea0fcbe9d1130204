import { UsageError } from './exit-code.ts'

/** A whole number from the command line, at least 1. */
export function parseCount(option: string, text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < 1)
    throw new UsageError(`${option} takes a whole number from 1 on.`)
  return count
}
