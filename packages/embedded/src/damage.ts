import type { AbortOptions, ContentId, Finding } from '@vault/core'
import { decodeEntry, type SoupReader } from '@vault/soup'

/** One thing that is damaged: an object or a file. */
export interface Damage extends Finding {
  /** The content id, or the file relative to the place's folder. */
  readonly subject: string
  /** For an object: the names of the files that it is, or is a part of; at most {@link MAX_NAMES}. */
  readonly names: readonly string[]
}

const MAX_NAMES = 100
const PAGE = 4096

/**
 * The names of the files that need these objects, found by reading all members once for each level of manifests and all
 * entries once. Only asked for when something is damaged.
 */
export async function namesOf(
  soup: SoupReader,
  damaged: ReadonlySet<ContentId>,
  options: AbortOptions = {},
): Promise<ReadonlyMap<ContentId, readonly string[]>> {
  /** Every object that is damaged or has a damaged part, with the damaged ones it stands for. */
  const affected = new Map<ContentId, ReadonlySet<ContentId>>([...damaged].map((id) => [id, new Set([id])]))
  for (let before = 0; before !== affected.size; ) {
    before = affected.size
    await addParents(soup, affected, options)
  }
  const names = new Map<ContentId, string[]>()
  for (let after: Uint8Array | undefined; ; ) {
    const page = await soup.entriesAfter({ ...(after && { after }), limit: PAGE }, options)
    for (const { bytes } of page) {
      const entry = decodeEntry(bytes)
      for (const id of (entry.object && affected.get(entry.object)) || []) {
        const known = names.get(id) ?? []
        if (known.length < MAX_NAMES) known.push(entry.key.startsWith('path:') ? entry.key.slice(5) : entry.key)
        names.set(id, known)
      }
    }
    if (page.length < PAGE) return names
    after = page.at(-1)?.key
  }
}

async function addParents(
  soup: SoupReader,
  affected: Map<ContentId, ReadonlySet<ContentId>>,
  options: AbortOptions,
): Promise<void> {
  for (let after: Uint8Array | undefined; ; ) {
    const page = await soup.members({ ...(after && { after }), limit: PAGE }, options)
    for (const member of page) {
      const parts = member.links.flatMap((link) => [...(affected.get(link) ?? [])])
      if (parts.length > 0) affected.set(member.id, new Set([...(affected.get(member.id) ?? []), ...parts]))
    }
    if (page.length < PAGE) return
    after = page.at(-1)?.key
  }
}
