/** Numbers that a seed repeats. */
export interface SeededNumbers {
  /** From 0, and less than `limit`. */
  below(limit: number): number
  bytes(length: number): Uint8Array
}

/** Mulberry32: small, fast, and the same on every machine. */
export function seededNumbers(seed: number): SeededNumbers {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number) => Math.floor((next() / 2 ** 32) * limit)
  return { below, bytes: (length) => Uint8Array.from({ length }, () => below(256)) }
}
