import { settleTerms } from '@vault/migration'
import { expect, test } from 'vitest'
import { drawLiveMove } from '../src/live-picture.ts'

const terms = settleTerms({ maxPauseMs: 3_000 })

function rounds(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    dirty: 1_000 >> i,
    left: 500 >> i,
    ms: 10,
    estimateMs: 800 >> i,
    throttleMs: i < 2 ? 0 : 4,
    goalMs: 300,
    changes: 1,
    changesLeft: 1,
    walked: false,
  }))
}

test('each round has what it sent, what it left and the pause that this would take; the pause is told from them', () => {
  const svg = drawLiveMove({ rounds: rounds(3), pauseMs: 120, terms })
  for (const title of ['round 1, sent in 10 ms: 1000', 'round 2, left: 250', 'after round 3: 200 ms, meant 300'])
    expect(svg).toContain(`<title>${title}</title>`)
  expect(svg.match(/writers wait 4 ms before each change/g)).toHaveLength(1)
  expect(svg).toContain('nobody could write for 120 ms, of 3000 at most')
})

test('what has not passed over has no pause', () => {
  expect(drawLiveMove({ rounds: rounds(3), pauseMs: null, terms })).not.toContain('nobody could write')
})

test.for([0, 1, 12, 13, 1_000])('%i rounds stay inside the picture', (count) => {
  const svg = drawLiveMove({ rounds: rounds(count), pauseMs: 0, terms })
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  const [, width = '', height = ''] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []
  const within = (name: string, most: string) => {
    for (const [, value] of svg.matchAll(new RegExp(` ${name}="([^"]+)"`, 'g'))) {
      expect(Number(value)).toBeGreaterThanOrEqual(0)
      expect(Number(value)).toBeLessThanOrEqual(Number(most))
    }
  }
  for (const name of ['x', 'x1', 'x2', 'cx']) within(name, width)
  for (const name of ['y', 'y1', 'y2', 'cy', 'height']) within(name, height)
})
