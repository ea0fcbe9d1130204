/**
 * Reads on while the consumer works on what it has, at most `depth` items ahead, so that reading a batch and flushing
 * the one before it overlap. Leaving the loop ends the reading.
 */
export async function* readAhead<T>(items: AsyncIterable<T>, depth: number): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]()
  const ahead: Promise<IteratorResult<T>>[] = []
  const readOne = () => {
    // One after the other: an iterator need not stand concurrent calls.
    const next = (ahead.at(-1) ?? Promise.resolve()).then(() => iterator.next())
    // A failure is met by whoever awaits this item; until then it must not count as unhandled.
    next.catch(() => undefined)
    ahead.push(next)
  }
  try {
    for (let i = 0; i < depth; i++) readOne()
    while (true) {
      const step = await (ahead[0] as Promise<IteratorResult<T>>)
      if (step.done) return
      readOne()
      void ahead.shift()
      yield step.value
    }
  } finally {
    await Promise.allSettled(ahead)
    await iterator.return?.()
  }
}
