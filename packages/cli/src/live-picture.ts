import type { LiveRecord, LiveRound } from '@vault/migration'

const WIDTH = 720
const HEIGHT = 280
const LEFT = 56
const TOP = 72
const BASE = 220
const PAUSE = 110
// More rounds than this have no room for numbers; titles name them still.
const NUMBERED = 12

const SENT = '#37c'
const OPEN = '#e83'
const SLOWED = '#b26'

/** A live move as an SVG: for each round what it sent and what was left, and the pause at the end. Logarithmic, because both shrink. */
export function drawLiveMove({ rounds, pauseMs, terms }: Pick<LiveRecord, 'rounds' | 'pauseMs' | 'terms'>): string {
  const most = Math.max(10, ...rounds.flatMap(({ dirty, left }) => [dirty, left]))
  const slot = (WIDTH - LEFT - PAUSE) / Math.max(1, rounds.length)
  const height = (count: number) => ((BASE - TOP) * Math.log10(1 + count)) / Math.log10(1 + most)
  const bar = (x: number, count: number, color: string, title: string) => [
    rect({ x, y: BASE - height(count), width: slot * 0.36, height: height(count) }, color, `${title}: ${count}`),
    ...(rounds.length > NUMBERED ? [] : [text(x + slot * 0.18, BASE - height(count) - 4, `${count}`, 'middle')]),
  ]
  const drawn = rounds.flatMap(({ dirty, left, ms, throttleMs }: LiveRound, i) => {
    const x = LEFT + slot * i + slot * 0.1
    const delay = `writers wait ${throttleMs} ms before each change`
    return [
      ...bar(x, dirty, SENT, `round ${i + 1}, sent in ${ms} ms`),
      ...bar(x + slot * 0.4, left, OPEN, `round ${i + 1}, left`),
      ...(throttleMs === 0 ? [] : [rect({ x, y: BASE + 2, width: slot * 0.8, height: 5 }, SLOWED, delay)]),
      ...(rounds.length > NUMBERED ? [] : [text(x + slot * 0.38, BASE + 20, `${ms} ms`, 'middle')]),
    ]
  })
  const pause =
    pauseMs === null ? 'it has not passed over' : `nobody could write for ${pauseMs} ms, of ${terms.maxPauseMs} at most`
  const x = WIDTH - PAUSE / 2
  const end = [
    rect({ x: x - 8, y: TOP, width: 16, height: BASE - TOP }, SLOWED, pause),
    text(x, BASE + 20, `${pauseMs} ms`, 'middle'),
  ]
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(LEFT, 20, `A live move: ${rounds.length} rounds of catching up, then the pause; ${pause}`),
    ...legend(),
    `<line x1="${LEFT}" y1="${BASE}" x2="${WIDTH - 20}" y2="${BASE}" stroke="#999"/>`,
    text(LEFT - 8, TOP + 4, `${most}`, 'end'),
    text(LEFT - 8, BASE, '0', 'end'),
    ...drawn,
    ...(pauseMs === null ? [] : end),
    text(LEFT, HEIGHT - 16, 'objects and entries, on a logarithmic scale; below, how long each round took'),
    '</svg>',
  ].join('\n')}\n`
}

function legend(): readonly string[] {
  const parts = [
    [SENT, 'sent'],
    [OPEN, 'changed again by its end'],
    [SLOWED, 'writers wait'],
  ] as const
  return parts.flatMap(([color, name], i) => [
    `<rect x="${LEFT + i * 190}" y="32" width="12" height="12" fill="${color}"/>`,
    text(LEFT + i * 190 + 18, 42, name),
  ])
}

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function rect({ x, y, width, height }: Box, color: string, title: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${color}"><title>${title}</title></rect>`
}

function text(x: number, y: number, words: string, anchor = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${words}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
