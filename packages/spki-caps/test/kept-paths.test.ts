import type { Tag } from '@vault/spki-caps'
import { covers } from '@vault/spki-caps'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Above } from '../src/above.ts'
import type { GrantPath } from '../src/grant-steps.ts'
import { KeptPaths } from '../src/kept-paths.ts'
import { anyTag } from './arbitrary.ts'
import { runs } from './support.ts'
import { ben } from './world.ts'

interface Held {
  readonly tag: Tag
  readonly expires: number
  readonly left: number
}

/** A path to ben by which he holds this. */
function pathOf(held: Held): GrantPath {
  const above = { subject: ben.key, parts: new Set([ben.key]), delegate: true, upstream: new Above([]) }
  const nothing = { shares: [], issued: new Set<string>(), assumed: new Set<string>(), links: [] }
  return { ...nothing, held: Object.assign(held, { ...above, resolved: new Set<string>() }), steps: 1 }
}

describe('the ways to what one holds', () => {
  it('are kept where none that is kept is more', () => {
    const anyHeld = fc.record({ tag: anyTag, expires: fc.nat({ max: 3 }), left: fc.nat({ max: 2 }) })
    fc.assert(
      fc.property(fc.array(anyHeld, { maxLength: 20 }), (all) => {
        const kept = new KeptPaths()
        const expected: Held[] = []
        for (const held of all) {
          const isLess = expected.some(
            ({ tag, expires, left }) => left >= held.left && expires >= held.expires && covers(tag, held.tag),
          )
          expect(kept.keep(pathOf(held))).toBe(!isLess)
          if (!isLess) expected.push(held)
        }
        expect(kept.all().map(({ held }) => held)).toEqual(expected)
      }),
      runs(500),
    )
  })

  it('are not each compared with all others', () => {
    const kept = new KeptPaths()
    let compared = 0
    for (let i = 0; i < 1_000; i++) {
      const tag: Tag = ['vault', 'read', { path: ['v', 'docs', `n${i}`] }]
      const held = { tag, expires: 1 }
      const left = { get: () => ++compared }
      kept.keep(pathOf(Object.defineProperty(held, 'left', left) as unknown as Held))
    }
    expect(kept.all()).toHaveLength(1_000)
    expect(compared).toBeLessThan(10_000)
  })
})
