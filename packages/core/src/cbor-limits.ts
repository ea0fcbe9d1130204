import { VaultError } from './error.ts'

/** The `code` of the errors of `encode` and `decode`. */
export type CborErrorCode = 'CBOR_INVALID' | 'CBOR_TOO_LARGE' | 'CBOR_TOO_DEEP'

/** Bounds of one encoded value, the same for both directions: what `encode` gives, `decode` takes. */
export interface CborLimits {
  /** Default 8 MiB. */
  readonly maxBytes?: number
  /** Arrays and maps within each other, at most 512. Default 64. */
  readonly maxDepth?: number
  /** Values in all, map keys not counted. Default 262,144: 8 MiB of empty maps would otherwise decode to 2 GB of objects. */
  readonly maxItems?: number
}

// Both directions recurse, so the depth must be far below what a stack holds (about 7,000 levels in Node's default).
const DEEPEST = 512

/** The limits with their defaults; throws a `RangeError` for a depth that the stack may not hold. */
export function withDefaults(limits: CborLimits): Required<CborLimits> {
  const { maxBytes = 8 * 1024 * 1024, maxDepth = 64, maxItems = 262_144 } = limits
  if (maxDepth > DEEPEST) throw new RangeError(`maxDepth ${maxDepth} is above ${DEEPEST}.`)
  return { maxBytes, maxDepth, maxItems }
}

export function tooLarge(maxBytes: number): VaultError<CborErrorCode> {
  return new VaultError({
    code: 'CBOR_TOO_LARGE',
    message: `The CBOR value is longer than ${maxBytes} bytes. Split it, or allow more with maxBytes.`,
    details: { maxBytes },
  })
}

export function tooMany(maxItems: number): VaultError<CborErrorCode> {
  return new VaultError({
    code: 'CBOR_TOO_LARGE',
    message: `The CBOR value holds more than ${maxItems} values. Split it, or allow more with maxItems.`,
    details: { maxItems },
  })
}

export function tooDeep(maxDepth: number): VaultError<CborErrorCode> {
  return new VaultError({
    code: 'CBOR_TOO_DEEP',
    message: `The CBOR value nests deeper than ${maxDepth} arrays and maps. Flatten it, or allow more with maxDepth.`,
    details: { maxDepth },
  })
}
