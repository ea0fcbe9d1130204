/** The `code` of the errors of this package. */
export type TransferErrorCode =
  /** "Transfer verification failed": a target's acknowledgement does not name what was sent (M035). `details.id`. */
  | 'TRANSFER_REFUSED'
  /** "Soup entry migration failed": an entry or version read back is not what was written (M045). `details.key`, `details.id`. */
  | 'TRANSFER_ENTRY_REFUSED'
  /** A CAR is no well-formed CAR of version 1, ends in the middle, or has a block that is not canonical. `details.offset`, `details.id`. */
  | 'TRANSFER_CAR_INVALID'
  /** A CAR names something with a codec or a hash that vaults do not have. `details.cid`: its bytes in hexadecimal. */
  | 'TRANSFER_CAR_FOREIGN'
  /** A CAR has more, or something longer, than the limits allow. `details.limit`. */
  | 'TRANSFER_CAR_TOO_LARGE'
  /** A block of a CAR is not what its id names. `details.id`. */
  | 'TRANSFER_CAR_MISMATCH'
  /** Something that the roots of a CAR lead to is not in it; on the way out, is not under charge. `details.id`, `details.missing`. */
  | 'TRANSFER_CAR_INCOMPLETE'
  /** Index data are malformed or end in the middle. `details.offset`. A finding where they are imported. */
  | 'TRANSFER_INDEX_INVALID'
  /** The vault changed while its indexes were read. `details.sequence`, `details.now`. */
  | 'TRANSFER_INDEX_CHANGED'
  /** What comes from another machine is no frame, ends in the middle of one, or goes beyond the limits. `details.offset`. */
  | 'TRANSFER_FRAME_INVALID'

/** The `code` of the findings of this package. */
export type TransferFindingCode =
  /** An object is under charge at the source, and its store has no bytes for it. `subject`: the id. */
  | 'TRANSFER_SOURCE_MISSING'
  /** An object is under charge at the source, and its bytes are not what the id names. `subject`: the id. */
  | 'TRANSFER_SOURCE_DAMAGED'
  /** A subtree of index data is not what the rows of the target come to. `subject`: the table and the prefix, as `objects/3f`. */
  | 'TRANSFER_INDEX_MISMATCH'
  /** Index data are malformed or end in the middle. `subject`: `indexes`. */
  | 'TRANSFER_INDEX_INVALID'
