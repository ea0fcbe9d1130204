import type { ContentId } from '@vault/core'
import { isBetween, malformed } from './node.ts'

/** A node of a file or a directory has at most this many parts. */
export const FAN_OUT = 1024

/** The depth of the highest root: far more than the 2^53 − 1 bytes of the longest file ask for. */
const MAX_DEPTH = 8

/** Where a node stands. */
export interface Position {
  /** Levels of nodes below it. */
  readonly depth: number
  readonly root: boolean
}

/** A node turned into its block, and what the node above keeps of it. */
export interface Sealed<Item, Node> {
  readonly block: Node
  readonly item: Item
}

/** Builds nodes from the bottom up while items arrive. Keeps one unfinished node for each depth. */
export interface Nesting<Item, Node> {
  /** Adds an item; gives the nodes that became complete. */
  push(item: Item): readonly Node[]
  /** Gives the remaining nodes; the last one is the root. */
  end(): readonly Node[]
}

/**
 * The shape depends on nothing but the number of items: nodes fill from the left, and there is another level as long as
 * the one below has more than one node. `seal` is called once for each node, for the root last.
 */
export function createNesting<Item, Node>(
  seal: (items: readonly Item[], position: Position) => Sealed<Item, Node>,
): Nesting<Item, Node> {
  const levels: Item[][] = [[]]

  // A full node waits for one more item: if none comes it may be the root, which is sealed differently.
  function add(item: Item, depth: number, done: Node[]): void {
    if (levels[depth]?.length === FAN_OUT) close(depth, done)
    levels[depth] ??= []
    levels[depth].push(item)
  }

  function close(depth: number, done: Node[]): void {
    const { block, item } = seal(levels[depth] as Item[], { depth, root: false })
    done.push(block)
    levels[depth] = []
    add(item, depth + 1, done)
  }

  return {
    push(item) {
      const done: Node[] = []
      add(item, 0, done)
      return done
    },

    end() {
      const done: Node[] = []
      // Closing a level may begin one above the highest.
      for (let depth = 0; depth < levels.length - 1; depth++) close(depth, done)
      const depth = levels.length - 1
      done.push(seal(levels[depth] as Item[], { depth, root: true }).block)
      return done
    },
  }
}

/** What the node above says of a node that is read; of a root nothing does. */
export interface Place {
  readonly depth: number
  /** No node of its depth follows. Only such a one may be unfilled. */
  readonly rightmost: boolean
}

/** The place of part number `index` of a node that has `count` parts; `place` is that of the node, none for the root. */
export function placeBelow(
  node: { readonly depth: number; readonly place: Place | undefined },
  { index, count }: { readonly index: number; readonly count: number },
): Place {
  return { depth: node.depth - 1, rightmost: (node.place?.rightmost ?? true) && index === count - 1 }
}

/**
 * The depth of a node. Throws `CAS_MALFORMED` unless a node of this depth, with so many parts, can stand there: for any
 * number of items one shape alone is right, so that equal content has one id.
 */
export function checkShape(
  id: ContentId,
  { depth, count }: { readonly depth: unknown; readonly count: number },
  place: Place | undefined,
): number {
  if (!isBetween(depth, 0, MAX_DEPTH)) throw malformed(id, `its depth is not 0 to ${MAX_DEPTH}`)
  if (place !== undefined && depth !== place.depth) {
    throw malformed(id, `its depth is ${depth}, and the node above says ${place.depth}`)
  }
  const least = leastCount(depth, place)
  if (count < least || count > FAN_OUT) {
    throw malformed(id, `it has ${count} parts, and where it stands there must be ${least} to ${FAN_OUT}`)
  }
  return depth
}

function leastCount(depth: number, place: Place | undefined): number {
  if (place === undefined) return depth > 0 ? 2 : 0
  return place.rightmost ? 1 : FAN_OUT
}
