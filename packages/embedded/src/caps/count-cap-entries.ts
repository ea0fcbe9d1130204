import type { AbortOptions } from '@vault/core'
import { declarationKey, type VaultSoup } from '@vault/soup'
import { CAP_ENTRY_PREFIXES, CAP_ENTRY_TYPES, CAP_PREFIX, REVOCATION_PREFIX } from './cap-entry.ts'

/** How many entries of a vault are kept for its capabilities. */
export interface CapEntryCounts {
  /** All of them, with what their types declare. */
  readonly entries: number
  readonly certificates: number
  readonly revocations: number
}

/** Counts what is kept in a vault for its capabilities. Reads none of these entries. */
export async function countCapEntries(
  soup: Pick<VaultSoup, 'count' | 'entry'>,
  options: AbortOptions = {},
): Promise<CapEntryCounts> {
  const counts = new Map<string, number>()
  for (const prefix of CAP_ENTRY_PREFIXES) counts.set(prefix, await soup.count(prefix, options))
  const declared = await Promise.all(CAP_ENTRY_TYPES.map((type) => soup.entry(declarationKey(type), options)))
  const entries = [...counts.values()].reduce((sum, count) => sum + count, 0)
  return {
    entries: entries + declared.filter((entry) => entry !== undefined).length,
    certificates: counts.get(CAP_PREFIX) ?? 0,
    revocations: counts.get(REVOCATION_PREFIX) ?? 0,
  }
}
