export { abandonMigration } from './abandon-migration.ts'
export { activeVaultTarget } from './active-target.ts'
export type { Difference, DifferenceCounts } from './compare-vaults.ts'
export { compareVaults } from './compare-vaults.ts'
export type {
  AbandonableTarget,
  Held,
  Offer,
  Receiving,
  RehashingTarget,
  RehashRequest,
  ScreeningTarget,
  SignedTrail,
  Source,
  Target,
  TrailSource,
  TrailTarget,
} from './endpoint.ts'
export type { MigrationErrorCode, MigrationFindingCode } from './error.ts'
export type { MigrationEvent, MigrationPhase, Progress, Sent, Share, Summary } from './event.ts'
export type { VaultObject } from './export-object.ts'
export { exportObject } from './export-object.ts'
export type { IndexReport, IndexStrategy, MigrateIndexesOptions } from './migrate-indexes.ts'
export { migrateIndexes } from './migrate-indexes.ts'
export { migrateObject } from './migrate-object.ts'
export { ownObjects } from './own-objects.ts'
export type { Mark } from './pace.ts'
export { addMark, secondsLeft } from './pace.ts'
export { decodePlan } from './parse-plan.ts'
export type { Mandate } from './permission.ts'
export type { MigrationReason, Plan, PlannedHandoff, PlannedKeys, Sample, Verification } from './plan.ts'
export { encodePlan, MIGRATION_REASONS, planId } from './plan.ts'
export type { MigrationParts, PlanOptions, PlanParts } from './plan-migration.ts'
export { planMigration } from './plan-migration.ts'
export { rehashObjects } from './rehash-objects.ts'
export type { Checked, Coverage, Report } from './report.ts'
export type { RunOptions } from './run-migration.ts'
export { runMigration } from './run-migration.ts'
export { missProbability } from './sample.ts'
export { soupStoreSource, soupStoreTarget } from './store-endpoint.ts'
export { sourceWithTrail, targetWithTrail } from './trail-endpoint.ts'
export type { VerifyOptions } from './verify-migration.ts'
export { verifyMigration } from './verify-migration.ts'

// A move: the vault itself goes, with its trail and its keys.

export { fittingProofs, MAX_PROOFS } from './http/proof-limits.ts'
export { readArrivalPlan } from './move/arrival-plan.ts'
export type { NamedPlace } from './move/arrived-move.ts'
export { arrivedMove, requireArrived, requireNotArrived } from './move/arrived-move.ts'
export type { AuditNote } from './move/audit-note.ts'
export { checkTakeBack } from './move/check-take-back.ts'
export { readMoveCheckpoint } from './move/checkpoint-log.ts'
export type { Declined } from './move/declined-here.ts'
export { declinedHere } from './move/declined-here.ts'
export type { EffectName, MoveStep } from './move/effect.ts'
export type { GivingUpParts } from './move/give-up-move.ts'
export { giveUpMove } from './move/give-up-move.ts'
export { cleanTarget, givenUpAt } from './move/given-up.ts'
export type { AuthorityChange, ChainEnd, GrantingSource, UnlistedChain } from './move/granting-source.ts'
export { listMoves, readMove } from './move/journal.ts'
export { keyStateAt } from './move/key-state.ts'
export type { LiveRound, NextRound } from './move/live/converge.ts'
export { converge } from './move/live/converge.ts'
export type { LiveRecord } from './move/live/live-record.ts'
export { readLiveMove } from './move/live/live-record.ts'
export type { LiveSource } from './move/live/live-source.ts'
export type { LiveTerms, SettledTerms } from './move/live/live-terms.ts'
export { settleTerms } from './move/live/live-terms.ts'
export type { MovedTo } from './move/live/moved-to.ts'
export { movedTo } from './move/live/moved-to.ts'
export type { WriterNotice } from './move/live/writer-notice.ts'
export { readWriterNotice, writerDelay } from './move/live/writer-notice.ts'
export { logKeysAt } from './move/log-keys.ts'
export type { MoveInput, Outcome } from './move/machine.ts'
export { reduceMove, stepsOf } from './move/machine.ts'
export type { MandatedSource } from './move/mandated-source.ts'
export type {
  ExplainedSource,
  HandoffTerms,
  JudgingTarget,
  KeyedTarget,
  LogEnd,
  MoveOffer,
  MoveSource,
  MoveTarget,
  NumberedBatch,
  ProvingTarget,
  Routing,
} from './move/move-endpoint.ts'
export type { MoveEvent } from './move/move-event.ts'
export { readMovePace } from './move/move-pace.ts'
export type { MoveApprovals, MoveStatus, StepStatus } from './move/move-status.ts'
export { moveStatus, planToApprove } from './move/move-status.ts'
export { moveVault, resumeMove, rollBackMove } from './move/move-vault.ts'
export { movedKeys } from './move/moved-keys.ts'
export { pauseMove } from './move/pause-move.ts'
export type { MovePhase, SeedPhase } from './move/phase.ts'
export { isEnded, seedPhase } from './move/phase.ts'
export { recoverVault } from './move/recover-vault.ts'
export type { Rehearsal, RehearsalEvent } from './move/rehearse-move.ts'
export { rehearseMove } from './move/rehearse-move.ts'
export { requireMeant } from './move/require-meant.ts'
export { requireMoved } from './move/require-moved.ts'
export { requireTakenBack } from './move/require-taken-back.ts'
export type { Seat, SeatKeys } from './move/seat.ts'
export { seatSource } from './move/seat-source.ts'
export { seatTarget } from './move/seat-target.ts'
export type { MoveState } from './move/state.ts'
export { readMoveCertificate } from './move/target-records.ts'
export type { ToldEvent } from './move/told-event.ts'
export { toldEvent } from './move/told-event.ts'
export type { LiveEvent, MoveParts } from './move/work.ts'

// Other keys for a vault that stays where it is.

export type { AdoptingSeat, Adoption } from './keys/adopt-key-event.ts'
export { adoptKeyEvent, checkAdoptable } from './keys/adopt-key-event.ts'
export { KeyedQueue } from './keys/keyed-queue.ts'

// The records of a hand-off, and the certificate that it ends in.

export type { CertificateParts } from './certificate/build-certificate.ts'
export { buildCertificate } from './certificate/build-certificate.ts'
export type {
  Certificate,
  CertifiedAudit,
  CertifiedEntry,
  CertifiedPossession,
  CertifiedTimes,
  CertifiedTransfer,
  CertifiedVerification,
} from './certificate/certificate.ts'
export { MAX_CERTIFICATE_LENGTH, MAX_POSSESSION_SAMPLE } from './certificate/certificate.ts'
export { certificateId } from './certificate/certificate-id.ts'
export { describeCertificate } from './certificate/describe-certificate.ts'
export type { CertificateErrorCode, CertificateFindingCode } from './certificate/error.ts'
export type { CertificateTrust, CertificateVerdict } from './certificate/verify-certificate.ts'
export { verifyCertificate } from './certificate/verify-certificate.ts'
export type { Acceptance } from './records/acceptance.ts'
export {
  acceptanceId,
  encodeAcceptance,
  parseAcceptance,
  signAcceptance,
  verifyAcceptance,
} from './records/acceptance.ts'
export type { Amount, MigrationCheckpoint } from './records/checkpoint.ts'
export {
  checkpointId,
  encodeMigrationCheckpoint,
  parseMigrationCheckpoint,
  signMigrationCheckpoint,
  verifyMigrationCheckpoint,
} from './records/checkpoint.ts'
export type { Decline } from './records/decline.ts'
export { declineId, encodeDecline, parseDecline, signDecline, verifyDecline } from './records/decline.ts'
export type { MigrationRecordErrorCode } from './records/error.ts'
export type { Handoff, HandoffEnd } from './records/handoff.ts'
export { encodeHandoff, handoffId, parseHandoff, signHandoff, verifyHandoff } from './records/handoff.ts'
export type { Possession, ProofClaim } from './records/possession.ts'
export {
  encodePossession,
  parsePossession,
  possessionId,
  possessionProof,
  signPossession,
  verifyPossession,
} from './records/possession.ts'
export type { Ready } from './records/ready.ts'
export { encodeReady, parseReady, readyId, signReady, verifyReady } from './records/ready.ts'
export type { RecordHead } from './records/record.ts'
export type { Recovery } from './records/recovery.ts'
export { encodeRecovery, parseRecovery, recoveryId, signRecovery, verifyRecovery } from './records/recovery.ts'
export type { Rehash } from './records/rehash.ts'
export { encodeRehash, parseRehash, rehashId, rehashProof, signRehash, verifyRehash } from './records/rehash.ts'
export type { LogHead } from './records/statement-field.ts'
