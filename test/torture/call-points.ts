/** The nth call of this kind of the first thread that makes so many. */
export interface CallPoint {
  readonly call: string
  readonly nth: number
}

/** All points of a trace that `strace -f -o` wrote, in the order of time. A counter belongs to one thread and one call. */
export function callPoints(trace: string, isWanted: (line: string) => boolean = () => true): readonly CallPoint[] {
  const counts = new Map<string, number>()
  const highest = new Map<string, number>()
  const points: CallPoint[] = []
  for (const line of trace.split('\n')) {
    const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? []
    if (thread === undefined || call === undefined) continue
    const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1
    counts.set(`${thread} ${call}`, nth)
    // Another thread may have been there before: then this point cannot be reached.
    if (nth <= (highest.get(call) ?? 0)) continue
    highest.set(call, nth)
    if (isWanted(line)) points.push({ call, nth })
  }
  return points
}

/** So many of all, evenly spread. */
export function spread<T>(all: readonly T[], count: number): readonly T[] {
  const size = Math.min(count, all.length)
  return Array.from({ length: size }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / size)] as T)
}
