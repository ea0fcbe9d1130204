// The set tree: one hash for a set of keys with values.

export type { Branch } from './branch.ts'
export { diverge } from './diverge.ts'
export type { Divergence, DivergeOptions } from './divergences.ts'
export { rootOfPage } from './page-root.ts'
export { proveAbsence, provePresence } from './prove.ts'
export type { BranchPage } from './read-branches.ts'
export { readBranches } from './read-branches.ts'
export type { AbsenceProof, PresenceProof, ProofStep, SetProof } from './set-proof.ts'
export { decodeSetProof, encodeSetProof, MAX_SET_PROOF_LENGTH } from './set-proof.ts'
export { setRoot } from './set-root.ts'
export type { StatedSpan } from './span.ts'
export { spanDifferences } from './span.ts'
export { BRANCH_ABOVE } from './subtree-walk.ts'
export { verifyAbsence, verifyPresence } from './verify-set-proof.ts'

// The log tree: one hash for a list that only grows.

export type { LogEdge } from './log-edge.ts'
export { createLogEdge, loadLogEdge } from './log-edge.ts'
export { leafHash, nodeHash } from './log-hasher.ts'
export type { LogNode, LogNodes } from './log-node.ts'
export { logRoot } from './log-root.ts'
export { proveConsistency, proveInclusion } from './prove-log.ts'
export { verifyConsistency, verifyInclusion } from './verify-log-proof.ts'

// Both.

export type { MerkleErrorCode } from './error.ts'
export { EMPTY_ROOT } from './node-hasher.ts'
