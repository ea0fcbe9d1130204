/** Every function that does I/O can be stopped; it then throws the signal's `reason` unchanged. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined
}

/** The time now. Injected, never read from the environment. */
export type Clock = () => Date

/** `length` unpredictable bytes. Injected, never read from the environment. */
export type Random = (length: number) => Uint8Array

export const systemClock: Clock = () => new Date()

export const systemRandom: Random = (length) => crypto.getRandomValues(new Uint8Array(length))
