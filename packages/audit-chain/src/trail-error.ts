import { VaultError } from '@vault/core'

/** The `code` of the errors and findings about a trail: its entries, its files, its history. */
export type TrailErrorCode =
  /** An event or entry has another shape than formats/audit-log.md says, or is too long. */
  | 'AUDIT_ENTRY_INVALID'
  /** Events were to be added behind an index that the trail has not reached. */
  | 'AUDIT_GAP'
  /** Two histories: an index has another event, or a size another root, than was said before. */
  | 'AUDIT_FORK'
  /** The trail is shorter than it has been. */
  | 'AUDIT_ROLLBACK'
  /** A file of the trail does not hold what the signed checkpoint says. */
  | 'AUDIT_TAMPERED'
  /** A file of the trail is not there. */
  | 'AUDIT_MISSING'
  /** The trail was opened without a signer, or its store for reading. */
  | 'AUDIT_READ_ONLY'
  /** The name of a file that no trail has. */
  | 'AUDIT_NAME_INVALID'
  /** The system refuses to write: disk full, no permission. */
  | 'AUDIT_WRITE_FAILED'
  /** The system refuses to read, which says nothing about what the log holds. */
  | 'AUDIT_READ_FAILED'
  /** The high-water mark is torn or changed: it says nothing about the trail. */
  | 'AUDIT_MARK_DAMAGED'
  /** The evidence of a fork is malformed, or does not show one. */
  | 'AUDIT_EVIDENCE_INVALID'
  /** A query over a trail is malformed, or too deep or long. */
  | 'AUDIT_QUERY_INVALID'

export function trailError(
  code: TrailErrorCode,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): VaultError<TrailErrorCode> {
  return new VaultError({ code, message, details, cause })
}

export function invalidEntry(reason: string, cause?: unknown): VaultError<TrailErrorCode> {
  return trailError('AUDIT_ENTRY_INVALID', `Not an entry of a trail: ${reason}.`, {}, cause)
}

/** A file that does not hold what was signed; `index` is the first entry that differs, where one is known. */
export function tampered(file: string, reason: string, index?: number, cause?: unknown): VaultError<TrailErrorCode> {
  const where = index === undefined ? file : `Entry ${index}, in ${file},`
  const details = { file, ...(index === undefined ? {} : { index }) }
  const advice = 'Do not rely on it; compare it with a copy of the trail.'
  return trailError('AUDIT_TAMPERED', `${where} is not what the checkpoint says: ${reason}. ${advice}`, details, cause)
}

export function missing(file: string): VaultError<TrailErrorCode> {
  return trailError('AUDIT_MISSING', `The trail has no ${file}. Copy it from another copy of the trail.`, { file })
}
