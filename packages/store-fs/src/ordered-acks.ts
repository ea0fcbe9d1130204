/**
 * Runs `start` for each input and yields the results in order, each as soon as it is there, with at most `limit` under
 * way. The next input is asked for meanwhile, so that making it, handling it and using the results overlap, and an
 * input that waits for the result before it is never waited for.
 */
export async function* inOrder<Input, Result>(
  inputs: AsyncIterable<Input> | Iterable<Input>,
  limit: number,
  start: (input: Input) => Promise<Result>,
): AsyncGenerator<Result> {
  const iterator = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]()
  const underWay: Promise<Result>[] = []
  let next: Promise<IteratorResult<Input>> | undefined
  let ended = false
  try {
    while (!ended || underWay.length > 0) {
      if (!ended && underWay.length < limit) {
        next ??= Promise.resolve(iterator.next())
        // Judged below, where it may come second.
        next.catch(() => {})
      }
      const oldest = underWay[0]
      const first = await Promise.race([
        ...(next === undefined ? [] : [next.then((input) => ({ input }))]),
        ...(oldest === undefined ? [] : [oldest.then((result) => ({ result }))]),
      ])
      if ('result' in first) {
        underWay.splice(0, 1)
        yield first.result
        continue
      }
      next = undefined
      if (first.input.done) {
        ended = true
        continue
      }
      const result = start(first.input.value)
      result.catch(() => {})
      underWay.push(result)
    }
  } finally {
    if (!ended) await iterator.return?.()
    await Promise.allSettled(underWay)
  }
}
