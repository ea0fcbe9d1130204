import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LiveRound } from '../../src/move/live/converge.ts'
import { converge } from '../../src/move/live/converge.ts'
import { settleTerms } from '../../src/move/live/live-terms.ts'

const TERMS = settleTerms({ maxPauseMs: 100, goalPauseMs: 20, threshold: 4 })

function round(left: number, estimateMs: number, more: Partial<LiveRound> = {}): LiveRound {
  const alike = { dirty: left, left, ms: estimateMs, changes: left, changesLeft: left, estimateMs }
  return { ...alike, throttleMs: 0, goalMs: 20, walked: false, ...more }
}

describe('when catching up ends', () => {
  test('with a pause as short as it is meant to be', () => {
    expect(converge(TERMS, [])).toEqual({ type: 'again' })
    expect(converge(TERMS, [round(1_000, 20)])).toEqual({ type: 'quiesce' })
    expect(converge(TERMS, [round(1_000, 21)])).toEqual({ type: 'again' })
    // Few changes, in a pause that may be as long, with a tenth left for going on.
    expect(converge(TERMS, [round(4, 90)])).toEqual({ type: 'quiesce' })
    expect(converge(TERMS, [round(4, 91)])).toEqual({ type: 'again' })
  })

  test('goes on while it shrinks, for so many rounds', () => {
    const shrinking = Array.from({ length: 40 }, (_, i) => round(Math.round(100_000 * 0.8 ** i), 500))
    expect(converge(TERMS, shrinking.slice(0, 20))).toEqual({ type: 'again' })
    expect(converge(TERMS, shrinking.slice(0, 30))).toEqual({ type: 'throttle', ms: 1 })
  })

  test('does what was asked for where it does not', () => {
    const still = Array.from({ length: 4 }, () => round(1_000, 500))
    expect(converge(TERMS, still)).toEqual({ type: 'throttle', ms: 1 })
    expect(converge({ ...TERMS, diverging: 'raise' }, still)).toEqual({ type: 'raise', ms: 40 })
    expect(converge({ ...TERMS, diverging: 'abort' }, still)).toEqual({ type: 'abort' })
    expect(
      converge(
        TERMS,
        still.map((each) => ({ ...each, throttleMs: 32 })),
      ),
    ).toEqual({ type: 'throttle', ms: 50 })
    const throttled = still.map((each) => ({ ...each, throttleMs: 50 }))
    expect(converge(TERMS, throttled)).toEqual({ type: 'raise', ms: 40 })
    expect(
      converge(
        TERMS,
        throttled.map((each) => ({ ...each, goalMs: 50 })),
      ),
    ).toEqual({ type: 'abort' })
  })

  test('tries a pause that might do before it gives up, where it may do anything', () => {
    const still = (estimateMs: number) =>
      Array.from({ length: 4 }, () => round(8, estimateMs, { throttleMs: 50, goalMs: 45 }))
    expect(converge(TERMS, still(90))).toEqual({ type: 'quiesce' })
    expect(converge(TERMS, still(91))).toEqual({ type: 'abort' })
    expect(converge({ ...TERMS, diverging: 'abort' }, still(90))).toEqual({ type: 'abort' })
  })

  test('lets no writer wait for longer than a pause may take, before its change and in the pause together', () => {
    expect(converge(TERMS, [round(4, 54, { throttleMs: 40 })])).toEqual({ type: 'quiesce' })
    expect(converge(TERMS, [round(4, 55, { throttleMs: 40 })])).toEqual({ type: 'again' })
    expect(converge(TERMS, [round(9, 46, { throttleMs: 50, goalMs: 60 })])).toEqual({ type: 'again' })
  })

  test('waits for no second round where one took long and many changes came as it dealt with others', () => {
    const terms = settleTerms({ maxPauseMs: 1_000 })
    const long = round(1_000_000, 400_000, { ms: 400_000, changes: 8_000, changesLeft: 8_000 })
    // One every 50 ms: by 150 ms more of each, a quarter as many come from one writer.
    expect(converge(terms, [long])).toEqual({ type: 'throttle', ms: 150 })
    expect(converge(terms, [{ ...long, changesLeft: 16_000 }])).toEqual({ type: 'throttle', ms: 175 })
    expect(converge(terms, [{ ...long, changesLeft: 4_001 }])).toEqual({ type: 'throttle', ms: 100 })
    // Half as many come: it ends soon.
    expect(converge(terms, [{ ...long, changesLeft: 4_000 }])).toEqual({ type: 'again' })
    expect(converge(terms, [{ ...long, ms: 2_000 }])).toEqual({ type: 'throttle', ms: 1 })
    expect(converge(terms, [{ ...long, ms: 1_999 }])).toEqual({ type: 'again' })
    expect(converge(terms, [{ ...long, throttleMs: 10 }])).toEqual({ type: 'throttle', ms: 160 })
    const throttled = { ...long, throttleMs: 150 }
    expect(converge(terms, [long, throttled])).toEqual({ type: 'throttle', ms: 300 })
    expect(converge(terms, [{ ...long, changes: 0, changesLeft: 0 }])).toEqual({ type: 'again' })
    // Who may not slow others down gives nothing up that still shrinks.
    const stopping = { ...terms, diverging: 'abort' as const }
    expect(converge(stopping, [long])).toEqual({ type: 'abort' })
    expect(converge(stopping, [{ ...long, changesLeft: 7_199 }])).toEqual({ type: 'again' })
    expect(converge(stopping, [{ ...long, ms: 9_999 }])).toEqual({ type: 'again' })
    // Nor who cannot slow them down any more.
    expect(converge(terms, [{ ...long, throttleMs: 500, changesLeft: 7_199 }])).toEqual({ type: 'again' })
    expect(converge(terms, [{ ...long, ms: 4_000_000 }])).toEqual({ type: 'throttle', ms: 500 })
    expect(converge(terms, [{ ...long, ms: 40_000_000 }])).toEqual({ type: 'throttle', ms: 500 })
  })

  test('ends however fast others write', () => {
    const ways = fc.constantFrom('throttle' as const, 'raise' as const, 'abort' as const)
    const lefts = fc.infiniteStream(fc.nat({ max: 1_000_000 }))
    const property = fc.property(ways, fc.integer({ min: 1, max: 60_000 }), lefts, (diverging, maxPauseMs, stream) => {
      const terms = settleTerms({ maxPauseMs, diverging, threshold: 0 })
      const rounds: LiveRound[] = []
      let conditions = { throttleMs: 0, goalMs: terms.goalPauseMs }
      while (true) {
        // Each item costs as much as a pause may.
        const left = 2 + (stream.next().value as number)
        rounds.push(round(left, left * maxPauseMs, conditions))
        const next = converge(terms, rounds)
        if (next.type === 'quiesce' || next.type === 'abort') return
        if (next.type === 'throttle') conditions = { ...conditions, throttleMs: next.ms }
        if (next.type === 'raise') conditions = { ...conditions, goalMs: next.ms }
        expect(conditions.throttleMs).toBeLessThanOrEqual(maxPauseMs / 2)
        expect(conditions.goalMs).toBeLessThanOrEqual(maxPauseMs)
        expect(rounds.length).toBeLessThan(200)
      }
    })
    fc.assert(property)
  })

  test('terms are numbers that can be kept', () => {
    expect(settleTerms({})).toEqual({
      maxPauseMs: 1_000,
      goalPauseMs: 100,
      threshold: 16,
      maxRounds: 30,
      diverging: 'throttle',
    })
    for (const terms of [
      { maxPauseMs: 0 },
      { maxPauseMs: 1.5 },
      { maxPauseMs: 10, goalPauseMs: 11 },
      { threshold: -1 },
      { maxRounds: 0 },
    ])
      expect(() => settleTerms(terms)).toThrow(RangeError)
  })
})
