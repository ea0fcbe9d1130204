/** The `code` of the errors of this package. */
export type MigrationErrorCode =
  /** Bytes or values that are no migration plan. */
  | 'MIGRATION_PLAN_INVALID'
  /** The plan is not of these parts: another vault, another target, or another kind of target. */
  | 'MIGRATION_PLAN_MISMATCH'
  /** The source is not a whole vault: it is being received, or not there; or it has ended, or has committed to another identity than a move could bring. `details.state`. Nothing was written, or the run ends. */
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
  /** The object is not under charge at the source. `details.id`. */
  | 'MIGRATION_OBJECT_UNKNOWN'
  /** There is no record of this migration here: "No checkpoint found" (M102). `details.migration`. */
  | 'MIGRATION_UNKNOWN'
  /** The migration is in a phase, or its record of a kind, that this cannot be done with. `details.phase`. */
  | 'MIGRATION_STATE'
  /** The vault has a migration that has not ended: resume it, or roll it back. `details.migration`. */
  | 'MIGRATION_UNFINISHED'
  /** What was granted when the migration began has ended or was taken back. `details.code` and `cause` say why. What was done stays. */
  | 'MIGRATION_NOT_GRANTED'
  /** Another run has taken this migration over. What was done stays; run again only if that one is gone. */
  | 'MIGRATION_SUPERSEDED'
  /** A live move cannot catch up on its terms. The source stays active, and what was sent stays. `details.left`, `details.estimate`. */
  | 'MIGRATION_DIVERGING'
  /** The vault was quiesced for longer than writers are to wait, so it takes changes again. `details.ms`, `details.max`. */
  | 'MIGRATION_PAUSE_EXCEEDED'
  /** Somebody has paused this migration: resume it to go on. What was done stays. `details.migration`. */
  | 'MIGRATION_PAUSED'
  /** Source or target is not what was prepared: the last steps have to be done again. */
  | 'MIGRATION_CHANGED'
  /** The vault's log key is not held where its trail has to go on. `details.keys`. Nothing is lost: put it back. */
  | 'MIGRATION_LOG_KEY'
  /** Too few of the identity's keys are held at the source to sign that the vault moves, or too few witnesses of its key events have. `details.needed`, `details.held`, `details.keys`. Nothing was handed off. */
  | 'MIGRATION_IDENTITY_MISSING'
  /** The vault's keys were replaced while it was being moved. Nothing was handed off: roll the migration back, and begin a new one. */
  | 'MIGRATION_KEYS_REPLACED'
  /** "Broken delegation chain" (M071): with the keys that follow somebody would have less than was granted to him, or more, or it is not known, because more was granted on than is judged. `details.broken`, `details.gained`, `details.unlisted`: certificates. Nothing was handed off. */
  | 'MIGRATION_CHAINS_BROKEN'
  /** The vault has a mandate, and fewer have approved the plan of the hand-off than must, or the one who does it. `details.plan`, `details.findings`. Nothing was handed off. */
  | 'MIGRATION_NOT_APPROVED'
  /** What the target acknowledged it cannot prove to hold. `details.id`, `details.batch`. Nothing was handed off. */
  | 'MIGRATION_TARGET_LIES'
  /** The vault comes from a copy that was handed off since: the target knows a higher epoch. `details.epoch`, `details.offered`. */
  | 'MIGRATION_EPOCH'
  /** The vault was handed off, so it is active here again only with the target's decline. */
  | 'MIGRATION_HANDED_OFF'
  /** The hand-off is not for what the target has prepared. Nothing was changed. */
  | 'MIGRATION_HANDOFF_REFUSED'
  /** The target has declined this migration and will never take it. */
  | 'MIGRATION_DECLINED'
  /** The target has taken the vault, and may have changed it or handed it on since: the way back is a migration from there. */
  | 'MIGRATION_TARGET_ADVANCED'
  /** The vault is active at two places, and both may have been written: people settle which of them it is. Nothing was changed. */
  | 'MIGRATION_FORKED'

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
