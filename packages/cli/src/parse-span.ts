import { UsageError } from './exit-code.ts'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** `30s`, `10m`, `12h` or `7d`, in seconds. */
export function parseSpan(option: string, text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([smhd])$/.exec(text) ?? []
  const seconds = Number(count) * (SECONDS[unit] ?? 0)
  if (seconds < 1) throw new UsageError(`${option} takes a time as 30s, 10m, 12h or 7d, not ${text}.`)
  return seconds
}
