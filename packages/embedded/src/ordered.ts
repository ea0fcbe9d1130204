/**
 * Applies `work` to the items with at most `limit` under way at once, and yields the results in the order of the items.
 * When one fails, or the caller leaves, no more are begun and those under way are waited for.
 */
export async function* ordered<Item, Result>(
  items: AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const underWay: Promise<Result>[] = []
  try {
    for await (const item of items) {
      const started = work(item)
      // Its failure is met below, in its turn; until then it is not unhandled.
      started.catch(() => undefined)
      underWay.push(started)
      if (underWay.length >= limit) yield await (underWay.shift() as Promise<Result>)
    }
    for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) yield await next
  } finally {
    await Promise.allSettled(underWay)
  }
}
