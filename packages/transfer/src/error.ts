/** The `code` of the errors of this package. */
export type TransferErrorCode =
  /** "Transfer verification failed": a target's acknowledgement does not name what was sent (M035). `details.id`. */
  | 'TRANSFER_REFUSED'
  /** "Soup entry migration failed": an entry or version read back is not what was written (M045). `details.key`, `details.id`. */
  | 'TRANSFER_ENTRY_REFUSED'

/** The `code` of the findings of this package. */
export type TransferFindingCode =
  /** An object is under charge at the source, and its store has no bytes for it. `subject`: the id. */
  | 'TRANSFER_SOURCE_MISSING'
  /** An object is under charge at the source, and its bytes are not what the id names. `subject`: the id. */
  | 'TRANSFER_SOURCE_DAMAGED'
