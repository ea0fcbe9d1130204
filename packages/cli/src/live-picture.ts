import type { LiveRecord } from '@vault/migration'

const WIDTH = 720
const HEIGHT = 260
const LEFT = 64
const TOP = 36
const BASE = 210

/** A live move as an SVG: for each round what it sent and what was left, and the pause at the end. Logarithmic, because both shrink. */
export function drawLiveMove({ rounds, pauseMs, terms }: Pick<LiveRecord, 'rounds' | 'pauseMs' | 'terms'>): string {
  const most = Math.max(10, ...rounds.flatMap(({ dirty, left }) => [dirty, left]))
  const slot = (WIDTH - LEFT - 120) / Math.max(1, rounds.length)
  const height = (count: number) => ((BASE - TOP) * Math.log10(1 + count)) / Math.log10(1 + most)
  const bar = (x: number, count: number, color: string, what: string) =>
    `<rect x="${round(x)}" y="${round(BASE - height(count))}" width="${round(slot * 0.36)}" height="${round(height(count))}" fill="${color}"><title>${what}: ${count}</title></rect>`
  const bars = rounds.flatMap(({ dirty, left, ms, throttleMs }, i) => {
    const x = LEFT + slot * i + slot * 0.1
    const slowed = `<rect x="${round(x)}" y="${BASE + 2}" width="${round(slot * 0.8)}" height="5" fill="#b26"><title>writers wait ${throttleMs} ms before each change</title></rect>`
    return [
      bar(x, dirty, '#37c', `round ${i + 1}, sent in ${ms} ms`),
      bar(x + slot * 0.4, left, '#e83', `round ${i + 1}, left`),
      ...(throttleMs === 0 ? [] : [slowed]),
    ]
  })
  const pause =
    pauseMs === null ? 'has not passed over' : `nobody could write for ${pauseMs} ms, of ${terms.maxPauseMs} at most`
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20">${rounds.length} rounds: sent (blue), left (orange), writers slowed down (red); ${pause}</text>`,
    `<line x1="${LEFT}" y1="${BASE}" x2="${WIDTH - 20}" y2="${BASE}" stroke="#999"/>`,
    `<text x="${LEFT - 8}" y="${TOP + 4}" text-anchor="end">${most}</text>`,
    `<text x="${LEFT - 8}" y="${BASE}" text-anchor="end">0</text>`,
    ...bars,
    ...(pauseMs === null
      ? []
      : [
          `<rect x="${WIDTH - 90}" y="${TOP}" width="14" height="${BASE - TOP}" fill="#b26"><title>${pause}</title></rect>`,
        ]),
    `<text x="${LEFT}" y="${HEIGHT - 16}">rounds of catching up, then the pause</text>`,
    '</svg>',
  ].join('\n')}\n`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
