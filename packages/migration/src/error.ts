/** The `code` of the errors of this package. */
export type MigrationErrorCode =
  /** Bytes or values that are no migration plan. */
  | 'MIGRATION_PLAN_INVALID'
  /** The plan is not of these parts: another vault, another target, or another kind of target. */
  | 'MIGRATION_PLAN_MISMATCH'
  /** The source is not a whole vault: it is being received, or not there. `details.state`. Nothing was written, or the run ends. */
  | 'MIGRATION_SOURCE_REFUSED'
  /** The target holds another vault that has been used. `details.vault`. Nothing was written. */
  | 'MIGRATION_TARGET_NOT_EMPTY'
  /** The vault's tenure at the target does not let it be received. `details.state`. Nothing was written. */
  | 'MIGRATION_TARGET_REFUSED'
  /** The target has entries under the same keys with other values. `details.keys`. None of these was written. */
  | 'MIGRATION_CONFLICT'
  /** Objects that the source has under charge cannot be read there; each is named in a finding. `details.findings`. */
  | 'MIGRATION_SOURCE_DAMAGED'
  /**
   * The source changed in every round, so the target never was equal to it; or another run changed the target after it was
   * verified. Run again; what was sent stays.
   */
  | 'MIGRATION_INCOMPLETE'
  /** What the target gives back is not what it should hold. `details.findings`. */
  | 'MIGRATION_VERIFICATION_FAILED'
  /** "Cannot rollback completed migration" (M096). */
  | 'MIGRATION_COMPLETE'
  /** Giving up would lose what was there before: an update of a vault that was there has written. Run it again to the end. */
  | 'MIGRATION_UPDATE_BEGUN'
  /** The object is not under charge at the source. `details.id`. */
  | 'MIGRATION_OBJECT_UNKNOWN'

/** The `code` of the findings of a verification. */
export type MigrationFindingCode =
  /** "Missing objects after migration" (M074). `subject`: the id. */
  | 'MIGRATION_OBJECT_MISSING'
  /** An object is under charge at the target and not at the source. `subject`: the id. */
  | 'MIGRATION_OBJECT_SUPERFLUOUS'
  /** "Content mismatch" (M076): the target's store gives no bytes or wrong bytes. `subject`: the id. */
  | 'MIGRATION_CONTENT_MISMATCH'
  /** "Soup mismatch" (M077). `subject`: the entry's key. */
  | 'MIGRATION_SOUP_MISMATCH'
  /** "Merkle verification failed" (M081). `subject`: the first table key that differs, in hexadecimal. */
  | 'MIGRATION_ROOT_MISMATCH'
