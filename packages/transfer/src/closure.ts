import type { AbortOptions, ContentId } from '@vault/core'
import { objectKey } from '@vault/core'
import type { KeyedMember, SoupReader } from '@vault/soup'

export interface ClosureOptions extends AbortOptions {
  /** Leaves out objects that are settled, and with each what only it links to. Default: none are. */
  readonly settled?: (ids: readonly ContentId[]) => Promise<readonly boolean[]>
}

/** Objects that are named once all that they link to has been. */
interface Frame {
  readonly ids: readonly ContentId[]
  /** What is known of those that are under charge. */
  readonly members: ReadonlyMap<ContentId, KeyedMember>
  /** Those whose links are still to be walked. */
  readonly parents: KeyedMember[]
}

const PAGE = 1_024
const WINDOW = 16_384
const WINDOW_BYTES = 64 * 1024 * 1024
const WINDOW_LINKS = 262_144
// Objects with links that are not named twice. Without this a graph of diamonds takes exponential time; with it,
// memory is bounded and at worst something is named twice.
const REMEMBERED = 262_144

/**
 * These objects and all that they link to, at any depth, in windows that are bounded in memory. What an object links to
 * comes before it. An id that is not under charge is named like any other.
 */
export async function* closureOf(
  soup: SoupReader,
  ids: readonly ContentId[],
  options: ClosureOptions = {},
): AsyncGenerator<readonly ContentId[]> {
  const { settled, signal } = options
  const named = new Set<ContentId>()
  const window = new Set<ContentId>()
  let bytes = 0
  let linked = 0

  async function frameOf(all: readonly ContentId[]): Promise<Frame> {
    const fresh = all.filter((id) => !window.has(id) && !named.has(id))
    const skip = settled === undefined || fresh.length === 0 ? [] : await settled(fresh)
    const open = fresh.filter((_, i) => skip[i] !== true)
    const members = await soup.membersByKey(open.map(objectKey), { signal })
    return {
      ids: open,
      members: new Map(members.map((member) => [member.id, member])),
      parents: members.filter(({ links }) => links.length > 0),
    }
  }

  for (let from = 0; from < ids.length; from += PAGE) {
    // A stack of our own, because chains of links may be deeper than calls can be.
    const stack = [await frameOf(ids.slice(from, from + PAGE))]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const parent = top.parents.pop()
      if (parent !== undefined) {
        stack.push(await frameOf(parent.links))
        continue
      }
      stack.pop()
      for (const id of top.ids) {
        if (named.has(id) || window.has(id)) continue
        const { size = 0, links = [] } = top.members.get(id) ?? {}
        window.add(id)
        bytes += size
        linked += links.length
        if (named.size > REMEMBERED) named.clear()
        if (links.length > 0) named.add(id)
        if (window.size < WINDOW && bytes < WINDOW_BYTES && linked < WINDOW_LINKS) continue
        yield [...window]
        window.clear()
        bytes = 0
        linked = 0
      }
    }
  }
  if (window.size > 0) yield [...window]
}
