import { humanCount } from './human.ts'
import type { Output } from './output.ts'

const SHOWN = 20

/** Says the first findings, and how many more there are; `omitted` are those that are not among the lines. */
export function warnOfFindings(output: Output, lines: readonly string[], omitted = 0): void {
  for (const line of lines.slice(0, SHOWN)) output.warn(line)
  const more = Math.max(0, lines.length - SHOWN) + omitted
  if (more > 0)
    output.warn(`… and ${humanCount(more)} more; --json names them${omitted > 0 ? ', up to a thousand' : ''}.`)
}
