// Tags: what is granted and asked.

export type { TagFindingCode } from './lint-tag.ts'
export { lintTag } from './lint-tag.ts'
export { anyOf, covers, meet } from './meet.ts'
export { parseTag } from './parse-tag.ts'
export type { Ordering, Range, Tag, TagAll, TagList, TagPath, TagPrefix, TagRange, TagRule, TagSet } from './tag.ts'
export { ANY } from './tag.ts'
export { tagText } from './tag-text.ts'
export type { VaultGrant } from './vault-tag.ts'
export { askedTag, vaultGrantOf, vaultTag } from './vault-tag.ts'

// Records: certificates, requests, revocations.

export type { Approval, ApprovalDraft, OpenApproval } from './approval.ts'
export { createApproval, isApproved, openApproval } from './approval.ts'
export type { CapCert, CapCertDraft, OpenCapCert } from './cap-cert.ts'
export { capCertPayload, createCapCert, openCapCert } from './cap-cert.ts'
export type { CapRequest, CapRequestDraft, OpenCapRequest } from './cap-request.ts'
export { capRequestPayload, createCapRequest, openCapRequest } from './cap-request.ts'
export type { CertTerms } from './cert-terms.ts'
export type { NameCert, NameCertDraft, OpenNameCert } from './name-cert.ts'
export { createNameCert, nameCertPayload, openNameCert } from './name-cert.ts'
export type { OnlineTest, RevocationCheck, ValidationCheck } from './online-test.ts'
export { isValidationCheck } from './online-test.ts'
export type { HashPrincipal, NamePrincipal, Principal, ThresholdPrincipal, VaultPrincipal } from './principal.ts'
export {
  hashPrincipal,
  isName,
  namePrincipal,
  parsePrincipal,
  principalText,
  thresholdPrincipal,
  vaultPrincipal,
} from './principal.ts'
export type {
  OpenPrincipalObject,
  PrincipalDraft,
  PrincipalFindingCode,
  PrincipalObject,
  PrincipalStats,
} from './principal-object.ts'
export {
  createPrincipalObject,
  followsPrincipal,
  openPrincipalObject,
  principalIdentity,
  verifyPrincipalObject,
} from './principal-object.ts'
export type { OpenProofCert } from './proof-cert.ts'
export { isNameCert, openProofCert } from './proof-cert.ts'
export type { Issuer, Opened, RecordHead } from './record.ts'
export type { OpenRevocation, Revocation, RevocationDraft, RevocationReason, RevocationTarget } from './revocation.ts'
export { createRevocation, openRevocation, revocationPayload } from './revocation.ts'
export type { OpenRevocationSet, RevocationSet, RevocationSetDraft } from './revocation-set.ts'
export { createRevocationSet, openRevocationSet, revocationSetPayload } from './revocation-set.ts'
export type { OpenStandingMandate, StandingMandate, StandingMandateDraft } from './standing-mandate.ts'
export { createStandingMandate, mandateSigners, openStandingMandate } from './standing-mandate.ts'
export type { OpenValidation, Validation, ValidationDraft } from './validation.ts'
export { createValidation, openValidation, validationPayload } from './validation.ts'

// Verification: what is granted, and why not.

export type { Answer } from './answer.ts'
export { answer } from './answer.ts'
export type { KeysAuthority } from './ask-authority.ts'
export { whatCan, whoCan } from './ask-authority.ts'
export type { AuthorityTree, AuthorityTrees, GrantNode } from './authority-tree.ts'
export { authorityTrees } from './authority-tree.ts'
export type { AuthorizeInput } from './authorize.ts'
export { authorize } from './authorize.ts'
export type { CertificateIndex } from './certificate-index.ts'
export { createCertificateIndex, indexTexts } from './certificate-index.ts'
export type { Circumstances } from './circumstances.ts'
export type { AuthorizeParts } from './create-authorize.ts'
export { createAuthorize } from './create-authorize.ts'
export { denied } from './denied.ts'
export type { AuthorityDiff } from './diff-authority.ts'
export { diffAuthority } from './diff-authority.ts'
export type { CapsErrorCode } from './error.ts'
export { explain } from './explain.ts'
export { findChain } from './find-chain.ts'
export type { CapsFindingCode } from './finding-code.ts'
export type { Freshness } from './freshness.ts'
export { DEFAULT_FRESHNESS } from './freshness.ts'
export type { KeyDirectory } from './key-directory.ts'
export { createKeyDirectory } from './key-directory.ts'
export type { CapsLimits } from './limits.ts'
export type { HeldAuthority } from './list-authority.ts'
export { countingCertificates, listAuthority } from './list-authority.ts'
export type { Act, Mandate, MandateFindingCode } from './mandate.ts'
export { checkMandate, countPeople } from './mandate.ts'
export { nearestMiss } from './nearest-miss.ts'
export type { NonceLedger } from './nonce-ledger.ts'
export { createNonceLedger } from './nonce-ledger.ts'
export type { Question } from './question.ts'
export { reduce } from './reduce.ts'
export { resultCert } from './result-cert.ts'
export type { RevocationView } from './revocation-view.ts'
export { createRevocationView } from './revocation-view.ts'
export type { Root } from './root.ts'
export type { TestStanding } from './standing-of-tests.ts'
export { standingOfTests } from './standing-of-tests.ts'
export type { Check, CheckName, CheckState, Effective, Refusal, TraceStep, Verdict } from './trace.ts'
export type { SignedValidation, ValidationView } from './validation-view.ts'
export { createValidationView } from './validation-view.ts'
export type { SignatureMemo, Voices } from './voices.ts'
export { createSignatureMemo, knownVoices } from './voices.ts'
export type { AuthorityView } from './ways-from.ts'
