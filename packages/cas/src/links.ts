import type { ContentId } from '@vault/core'
import { codecOf, isLink } from '@vault/core'
import type { Block } from './cas.ts'
import { decodeNode } from './node.ts'

/** A block with what it is made of, as the soup wants to know it. */
export interface LinkedBlock extends Block {
  /** Distinct. */
  readonly links: readonly ContentId[]
}

/**
 * All objects that a block links to, distinct, in an order that depends on nothing but its bytes. A raw block has none.
 * Throws `CAS_MALFORMED` where a dag-cbor block is not canonical. That the bytes are what the id names is not checked.
 */
export function linksOf(block: Block): readonly ContentId[] {
  if (codecOf(block.id) === 'raw') return []
  const found = new Set<ContentId>()
  collect(decodeNode(block), found)
  return [...found]
}

// The decoder has bounded the depth.
function collect(value: unknown, found: Set<ContentId>): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  if (isLink(value)) found.add(value.id)
  else for (const part of Array.isArray(value) ? value : Object.values(value)) collect(part, found)
}
