/** How far something was at a moment. */
export interface Mark {
  /** Milliseconds. */
  readonly at: number
  readonly objects: number
  readonly bytes: number
}

// Enough to tell what an object costs from what its bytes cost; they are kept with the move.
const KEPT = 64

/** The marks with another one behind them, thinned out evenly. What goes backwards, as a clock that is set or another round, begins anew. */
export function addMark(marks: readonly Mark[], mark: Mark): readonly Mark[] {
  const last = marks.at(-1)
  if (last !== undefined && (mark.at < last.at || mark.objects < last.objects || mark.bytes < last.bytes)) return [mark]
  const kept = marks.length < KEPT ? marks : marks.filter((_, i) => i % 2 === 0)
  return [...kept, mark]
}

/**
 * How long the rest takes, as a pure function of marks that one run has made: each object costs time and each byte does, and both costs
 * are what fits the marks best, so that a few large objects, or many small ones, among what is left are neither forgotten nor taken for
 * the rule. Together they give the time that has really passed. `null` where nothing has been done yet.
 */
export function secondsLeft(marks: readonly Mark[], remaining: Pick<Mark, 'objects' | 'bytes'>): number | null {
  const [first, last] = [marks.at(0), marks.at(-1)]
  if (first === undefined || last === undefined) return null
  const done = between(first, last)
  if (done.ms <= 0 || (done.objects === 0 && done.bytes === 0)) return null
  const { object, byte } = costs(marks, done)
  const fitted = object * done.objects + byte * done.bytes
  return ((object * remaining.objects + byte * remaining.bytes) * done.ms) / fitted / 1_000
}

interface Step {
  readonly ms: number
  readonly objects: number
  readonly bytes: number
}

function between(a: Mark, b: Mark): Step {
  return { ms: b.at - a.at, objects: b.objects - a.objects, bytes: b.bytes - a.bytes }
}

/** What an object and what a byte costs: least squares over the steps, neither of them less than nothing. */
function costs(marks: readonly Mark[], done: Step): { readonly object: number; readonly byte: number } {
  let [oo, ob, bb, ot, bt] = [0, 0, 0, 0, 0]
  for (const [i, mark] of marks.entries()) {
    const before = marks[i - 1]
    if (before === undefined) continue
    const { ms, objects, bytes } = between(before, mark)
    oo += objects * objects
    ob += objects * bytes
    bb += bytes * bytes
    ot += objects * ms
    bt += bytes * ms
  }
  const both = oo * bb - ob * ob
  // Steps that are all alike do not tell the two apart.
  if (both > 1e-3 * oo * bb) {
    const [object, byte] = [(ot * bb - bt * ob) / both, (bt * oo - ot * ob) / both]
    if (object >= 0 && byte >= 0) return { object, byte }
    return object < 0 ? { object: 0, byte: 1 } : { object: 1, byte: 0 }
  }
  // Half of the time is that of the objects then, and half that of their bytes.
  return {
    object: done.objects === 0 ? 0 : 1 / done.objects,
    byte: done.bytes === 0 ? 0 : 1 / done.bytes,
  }
}
