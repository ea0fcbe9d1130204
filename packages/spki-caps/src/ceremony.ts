// Ceremonies: keys replaced or split by several people together, as a folder of signed files.

export type { Attestation } from './ceremony/attestation.ts'
export type { CeremonyFile, DocumentKind } from './ceremony/ceremony-file.ts'
export { COMMIT_FILE, fileNameOf, MAX_CEREMONY_FILE, PLAN_FILE } from './ceremony/ceremony-file.ts'
export type { Commit, Documents } from './ceremony/commit.ts'
export type { Contribution, SealedShares } from './ceremony/contribution.ts'
export type { PlanDraft } from './ceremony/create-plan.ts'
export { createPlan } from './ceremony/create-plan.ts'
export { describeCeremony, describePlan } from './ceremony/describe-ceremony.ts'
export type { CeremonyErrorCode, CeremonyFindingCode } from './ceremony/error.ts'
export type { Software } from './ceremony/field.ts'
export type { OpenPlan, PlannedEvent } from './ceremony/open-plan.ts'
export { nameIn, openPlan } from './ceremony/open-plan.ts'
export type { Owed } from './ceremony/owed.ts'
export type { CeremonyMember, CeremonyPlan, KeyChange, KeyFounding, KeySplit, ShareHolder } from './ceremony/plan.ts'
export type { Ceremony, CeremonyPhase } from './ceremony/read-ceremony.ts'
export { readCeremony } from './ceremony/read-ceremony.ts'
export type { Receipt, ReceivedShare } from './ceremony/receipt.ts'
export { receiptProof } from './ceremony/receipt.ts'
export type { Circumstance, Part } from './ceremony/take-part.ts'
export {
  acknowledge,
  attest,
  checkUntouched,
  commitCeremony,
  completeCommit,
  contribute,
  partOf,
} from './ceremony/take-part.ts'
