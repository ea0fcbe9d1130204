/** What a campaign is run with. */
export interface Setting {
  readonly seed: number
  /** How many points are to be tried. */
  readonly points: number
  /** An empty folder of its own, which goes away afterwards. */
  readonly folder: string
}

export interface Outcome {
  /** How many points were tried. */
  readonly points: number
  /** Each broken promise as a sentence, with what repeats it; empty where all held. */
  readonly wrong: readonly string[]
  /** What was found beside that: counts, and the longest time. */
  readonly note: string
}

/** One way of tormenting a store, and what must hold whatever happens. */
export interface Campaign {
  readonly name: string
  /** Points of a small run, which takes some seconds, and of a full one. */
  readonly small: number
  readonly full: number
  run(setting: Setting): Promise<Outcome>
}

/** How many points a run of this size has: `small`, `full`, or a share of a full one. */
export function pointsOf({ small, full }: Campaign, size: string): number {
  if (size === 'small') return small
  if (size === 'full') return full
  const share = Number(size)
  if (!(share > 0)) throw new RangeError(`--size is "small", "full" or a share of a full run, not ${size}`)
  return Math.max(1, Math.ceil(full * share))
}

/** Runs a few at once, in order; gives what they said was wrong. What one throws is wrong, too. */
export async function tryEach<Item>(
  items: Iterable<Item>,
  atOnce: number,
  run: (item: Item) => Promise<readonly string[]>,
  nameOf: (item: Item) => string,
): Promise<string[]> {
  const wrong: string[] = []
  const queue = items[Symbol.iterator]()
  const work = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      const said = await run(next.value).catch((error: unknown) => [String(error)])
      wrong.push(...said.map((text) => `${nameOf(next.value)}: ${text}`))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return wrong
}
