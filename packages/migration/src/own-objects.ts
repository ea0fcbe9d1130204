import type { AbortOptions, ContentId } from '@vault/core'
import type { SoupReader } from '@vault/soup'

/**
 * Those of the ids that belong to the vault, or are held by it. The content store of a place has no walls between vaults: whoever asks for
 * one of them is answered about these alone, and about any others as if there were none.
 */
export async function ownObjects(
  soup: SoupReader,
  ids: readonly ContentId[],
  options?: AbortOptions,
): Promise<readonly ContentId[]> {
  const under = await soup.charged(ids, options)
  const rest = ids.filter((_, i) => !under[i])
  const held = rest.length === 0 ? [] : await soup.holds(rest, options)
  const found = new Set(rest.filter((_, i) => held[i]))
  return ids.filter((id, i) => under[i] === true || found.has(id))
}
