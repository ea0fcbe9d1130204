/** Throws a `RangeError` for what is no number of rows to read or write at most. */
export function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError(`A limit is a positive integer, not ${limit}`)
}
