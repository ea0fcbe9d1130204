import type { LiveRecord, LiveRound } from '@vault/migration'

type Drawn = Pick<LiveRecord, 'rounds' | 'pauseMs' | 'terms'>

const WIDTH = 760
const HEIGHT = 430
const LEFT = 64
const RIGHT = 656
const PAUSE_X = 700
const BAR = 44
// The two panels: what was sent and left above, what a pause would take below.
const UPPER = { top: 96, base: 212, unit: 1 }
const LOWER = { top: 262, base: 364, unit: 10 }
// More rounds than this have no room for numbers; titles name them still.
const NUMBERED = 12

const SENT = '#3b6fb5'
const OPEN = '#e8a33d'
const SLOWED = '#8e5ea2'
const PAUSE = '#c0392b'
const QUIET = '#667'

/**
 * A live move as an SVG. Above, for each round, what it sent and what was left; below, what a pause would have taken then against what
 * it was meant to take, and the pause that came. Logarithmic, because all of it shrinks.
 */
export function drawLiveMove(record: Drawn): string {
  const { rounds, pauseMs, terms } = record
  const slot = Math.min(150, (RIGHT - LEFT) / Math.max(1, rounds.length))
  const middle = (i: number) => LEFT + slot * (i + 0.5)
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#223">`,
    `<title>${headline(record)}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="28" font-size="15" font-weight="bold">${headline(record)}</text>`,
    ...legend(rounds),
    ...changes(rounds, slot, middle),
    ...estimates(rounds, slot, middle, terms.maxPauseMs, pauseMs),
    ...rounds.flatMap(({ ms }, i) =>
      rounds.length > NUMBERED
        ? []
        : [
            text(middle(i), LOWER.base + 18, `${i + 1}`, 'middle'),
            faint(middle(i), LOWER.base + 34, `${ms} ms`, 'middle'),
          ],
    ),
    faint(LEFT, HEIGHT - 12, rounds.length > NUMBERED ? `rounds 1 to ${rounds.length}` : 'round, and how long it took'),
    '</svg>',
  ].join('\n')}\n`
}

function headline({ rounds, pauseMs, terms }: Drawn): string {
  const caught = `A live move: ${rounds.length} round${rounds.length === 1 ? '' : 's'} of catching up`
  if (pauseMs === null) return `${caught}; it has not passed over`
  return `${caught}, then a pause of ${pauseMs} ms (${terms.maxPauseMs} at most)`
}

/** The upper panel: bars for each round. */
function changes(rounds: readonly LiveRound[], slot: number, middle: (i: number) => number): readonly string[] {
  const scale = scaleOf(
    UPPER,
    rounds.flatMap(({ dirty, left }) => [dirty, left]),
  )
  const width = Math.min(BAR, slot * 0.36)
  const bar = (x: number, count: number, color: string, title: string) => [
    rect({ x, y: scale.y(count), width, height: UPPER.base - scale.y(count) }, color, `${title}: ${count}`),
    ...(rounds.length > NUMBERED
      ? []
      : [text(x + width / 2, scale.y(count) - 5, `${count}`, 'middle', slot < 80 ? 10 : 12)]),
  ]
  return [
    text(LEFT, UPPER.top - 20, 'objects and entries'),
    ...axis(UPPER, scale),
    ...rounds.flatMap(({ dirty, left, ms, throttleMs }, i) => [
      ...bar(middle(i) - width - 1, dirty, SENT, `round ${i + 1}, sent in ${ms} ms`),
      ...bar(middle(i) + 1, left, OPEN, `round ${i + 1}, left`),
      ...(throttleMs === 0 ? [] : [slowed(middle(i) - width - 1, width * 2 + 2, throttleMs)]),
    ]),
  ]
}

function slowed(x: number, width: number, throttleMs: number): string {
  return rect({ x, y: UPPER.base + 3, width, height: 5 }, SLOWED, `writers wait ${throttleMs} ms before each change`)
}

/** The lower panel: what a pause would have taken after each round, what it was meant to, and what it took. */
function estimates(
  rounds: readonly LiveRound[],
  slot: number,
  middle: (i: number) => number,
  maxPauseMs: number,
  pauseMs: number | null,
): readonly string[] {
  const all = rounds.flatMap(({ estimateMs, goalMs }) => [estimateMs, goalMs])
  const scale = scaleOf(LOWER, [...all, maxPauseMs, pauseMs ?? 0])
  const points = rounds.map(({ estimateMs }, i) => `${round(middle(i))},${scale.y(estimateMs)}`)
  return [
    text(LEFT, LOWER.top - 14, 'pause, in milliseconds'),
    ...axis(LOWER, scale),
    line(LEFT, scale.y(maxPauseMs), PAUSE_X + 36, scale.y(maxPauseMs), PAUSE, ' stroke-dasharray="6 4"'),
    `<text x="${PAUSE_X + 36}" y="${scale.y(maxPauseMs) - 5}" text-anchor="end" fill="${PAUSE}">at most ${maxPauseMs}</text>`,
    ...rounds.map(({ goalMs }, i) =>
      line(middle(i) - slot / 2, scale.y(goalMs), middle(i) + slot / 2, scale.y(goalMs), QUIET, ' stroke-width="2"'),
    ),
    `<polyline points="${points.join(' ')}" fill="none" stroke="${OPEN}" stroke-width="2"/>`,
    ...rounds.flatMap(({ estimateMs, goalMs }, i) => {
      const title = `<title>after round ${i + 1}: ${estimateMs} ms, meant ${goalMs}</title>`
      const dot = `<circle cx="${round(middle(i))}" cy="${scale.y(estimateMs)}" r="4" fill="${OPEN}">${title}</circle>`
      return rounds.length > NUMBERED ? [dot] : [dot, text(middle(i) + 8, scale.y(estimateMs) - 6, `${estimateMs}`)]
    }),
    ...(pauseMs === null ? [] : pauseBar(pauseMs, maxPauseMs, scale)),
  ]
}

function pauseBar(pauseMs: number, maxPauseMs: number, scale: Scale): readonly string[] {
  const y = scale.y(pauseMs)
  const title = `nobody could write for ${pauseMs} ms, of ${maxPauseMs} at most`
  return [
    line(RIGHT + 4, UPPER.top, RIGHT + 4, LOWER.base, QUIET, ' stroke-dasharray="2 4"'),
    rect({ x: PAUSE_X - BAR / 2, y, width: BAR, height: LOWER.base - y }, PAUSE, title),
    text(PAUSE_X, LOWER.base + 18, 'the pause', 'middle'),
    faint(PAUSE_X, LOWER.base + 34, `${pauseMs} ms`, 'middle'),
  ]
}

function legend(rounds: readonly LiveRound[]): readonly string[] {
  const parts = [
    [SENT, 'sent', 80],
    [OPEN, 'left, and the pause that this would take', 290],
    [QUIET, 'the pause meant', 140],
    ...(rounds.some(({ throttleMs }) => throttleMs > 0) ? ([[SLOWED, 'writers are slowed', 0]] as const) : []),
  ] as const
  let x = LEFT
  return parts.flatMap(([color, name, room]) => {
    const entry = [`<rect x="${x}" y="42" width="12" height="12" fill="${color}"/>`, text(x + 18, 52, name)]
    x += room
    return entry
  })
}

interface Panel {
  readonly top: number
  readonly base: number
  /** Below this the scale is linear, so that it has a zero. */
  readonly unit: number
}

/** Where a number stands in a panel, and up to which one. */
interface Scale {
  readonly most: number
  y(value: number): number
}

function scaleOf({ top, base, unit }: Panel, values: readonly number[]): Scale {
  const most = 10 ** Math.ceil(Math.log10(Math.max(10, ...values)))
  const share = (value: number) => Math.log10(1 + value / unit) / Math.log10(1 + most / unit)
  return { most, y: (value) => round(base - (base - top) * share(value)) }
}

function axis({ base, unit }: Panel, scale: Scale): readonly string[] {
  const ticks: number[] = []
  for (let tick = unit * 10; tick <= scale.most; tick *= 10) ticks.push(tick)
  return [
    line(LEFT, base, PAUSE_X + 36, base, QUIET),
    faint(LEFT - 8, base + 4, '0', 'end'),
    ...ticks.flatMap((tick) => [
      line(LEFT, scale.y(tick), PAUSE_X + 36, scale.y(tick), '#e4e6ea'),
      faint(LEFT - 8, scale.y(tick) + 4, `${tick}`, 'end'),
    ]),
  ]
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

function line(x1: number, y1: number, x2: number, y2: number, color: string, more = ''): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" stroke="${color}"${more}/>`
}

function text(x: number, y: number, words: string, anchor = 'start', size = 12): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}">${words}</text>`
}

function faint(x: number, y: number, words: string, anchor = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${QUIET}">${words}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
