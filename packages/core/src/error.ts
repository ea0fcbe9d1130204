/** What a `VaultError` carries beside its code and message. */
export interface VaultErrorDetails<Code extends string = string> {
  /** Stable and part of the API: a code is never given another meaning. Starts with the package's word, as in `CAS_CORRUPT`. */
  readonly code: Code
  /** For people: what happened, to which object or file, and what to do next. */
  readonly message: string
  /** For programs: values that JSON can carry. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/**
 * The one error class of every `@vault` package, for what was refused and what failed.
 * Recognise it with {@link isVaultError}, never with `instanceof`: two copies of this package may be installed.
 */
export class VaultError<Code extends string = string> extends Error {
  override readonly name = 'VaultError'
  readonly code: Code
  readonly details: Readonly<Record<string, unknown>>

  constructor({ code, message, details, cause }: VaultErrorDetails<Code>) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details ?? {}
  }
}

/** Whether a caught value is a `VaultError` of any installed copy, and of this code where one is given. */
export function isVaultError<Code extends string>(value: unknown, code?: Code): value is VaultError<Code> {
  if (!(value instanceof Error) || value.name !== 'VaultError') return false
  const actual = (value as VaultError).code
  return typeof actual === 'string' && (code === undefined || actual === code)
}

/** What this gives; `undefined` where it is refused with a `VaultError`. For what comes from outside, of which some may be nothing that is read here. */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}

/** One reason for a no, or one thing worth knowing. A check returns all of them, never only the first. */
export interface Finding {
  readonly code: string
  readonly message: string
  /** What it is about: an id, a key, a file. */
  readonly subject?: string
}
