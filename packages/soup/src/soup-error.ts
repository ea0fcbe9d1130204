import { VaultError } from '@vault/core'

/** The `code` of the errors of every soup. */
export type SoupErrorCode =
  /** The vault is not active at this place: `details.state` says what it is. */
  | 'SOUP_NOT_ACTIVE'
  /** The epoch of the change is not the vault's: it was handed off meanwhile. */
  | 'SOUP_EPOCH'
  /** A ref, an entry or the number of audit events is not what the change expects. `details.ref`, `details.key` or `details.events`. */
  | 'SOUP_CONFLICT'
  /** An object that the change relies on, or that an entry or a link of it names, is not under charge. `details.ids`. */
  | 'SOUP_NOT_PRESENT'
  /** A segment that the change relies on is condemned. `details.segments`. Put those bytes again and repeat. */
  | 'SOUP_CONDEMNED'
  /** The place does not know that the bytes of an object were put for this change. `details.id`. Put them again and repeat. */
  | 'SOUP_NOT_STORED'
  /** An entry breaks the contract of its type. `details.key`. */
  | 'SOUP_CONTRACT'
  /** An entry's type declares no rollback strategy. `details.type`. */
  | 'SOUP_TYPE_UNKNOWN'
  /** Bytes or values that are no entry, key, query or cursor, or that are beyond their limits. */
  | 'SOUP_INVALID'
  /** The feed does not reach this cursor, because it is too old or lies ahead: fall back to the diff walk. */
  | 'SOUP_FEED_EXPIRED'
  /** Stored state is damaged. `details.table`, `details.key`. */
  | 'SOUP_CORRUPT'
  /** The stored format is foreign, or newer than this software. `details.file`. */
  | 'SOUP_FORMAT'
  /** Other writers kept the store busy for too long. Nothing was changed. */
  | 'SOUP_BUSY'
  /** The store is full or refuses to write. Nothing was changed. */
  | 'SOUP_WRITE_FAILED'
  /** The system refuses to read the store, for a reason that says nothing about what is stored. */
  | 'SOUP_READ_FAILED'
  /** A tenure cannot go from this state to that one, or does not take what this migration or driver writes. */
  | 'SOUP_TENURE'

/** An error of the soup. `details` holds what a program needs, `message` what a person does next. */
export function soupError(
  code: SoupErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): VaultError<SoupErrorCode> {
  return new VaultError({ code, message, details, cause })
}

/** A text of unknown length and content, as it may stand in a message. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
