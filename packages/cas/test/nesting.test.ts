import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNesting, FAN_OUT } from '../src/nesting.ts'

interface Node {
  readonly depth: number
  readonly root: boolean
  readonly parts: readonly (number | Node)[]
}

function nest(count: number): { nodes: readonly Node[]; most: number } {
  const nesting = createNesting<number | Node, Node>((parts, position) => {
    const block = { ...position, parts }
    return { block, item: block }
  })
  const nodes: Node[] = []
  let most = 0
  for (let i = 0; i < count; i++) {
    const done = nesting.push(i)
    most = Math.max(most, done.length)
    nodes.push(...done)
  }
  return { nodes: [...nodes, ...nesting.end()], most }
}

function itemsOf(node: Node): readonly number[] {
  return node.parts.flatMap((part) => (typeof part === 'number' ? [part] : itemsOf(part)))
}

describe('nesting', () => {
  it('keeps items in order, fills nodes from the left, and ends with the root', () => {
    const edges = fc.constantFrom(0, 1, 1023, 1024, 1025, 2048, 2049, 1024 * 1024, 1024 * 1024 + 1, 1024 * 1024 + 1025)
    fc.assert(
      fc.property(fc.oneof(edges, fc.integer({ min: 0, max: 20000 })), (count) => {
        const { nodes } = nest(count)
        const root = nodes.at(-1) as Node
        expect(nodes.filter((node) => node.root)).toEqual([root])
        expect(itemsOf(root).every((item, i) => item === i)).toBe(true)
        expect(itemsOf(root)).toHaveLength(count)
        let width = count
        for (let depth = 0; depth <= root.depth; depth++) {
          const level = nodes.filter((node) => node.depth === depth)
          expect(level.slice(0, -1).every((node) => node.parts.length === FAN_OUT)).toBe(true)
          expect(level.length).toBe(Math.max(1, Math.ceil(width / FAN_OUT)))
          width = level.length
        }
        expect(width).toBe(1)
        expect(root.depth === 0 || root.parts.length > 1).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it('gives at most a node for each level at once', () => {
    expect(nest(1024 * 1024 + 1025).most).toBe(2)
  })
})
