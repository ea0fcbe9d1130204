export { changeRecord } from './change-record.ts'
export type { RollbackStrategy, TypeContract } from './contract.ts'
export { BUILT_IN_TYPES, contractOf, declarationKey } from './contract.ts'
export type { Entry } from './entry.ts'
export { decodeEntry, encodeEntry, entryKey, entryValue, MAX_ENTRY_LENGTH, MAX_KEY_LENGTH, versionId } from './entry.ts'
export { isTombstone } from './entry-change.ts'
export type { FieldMap, FieldValue } from './field-value.ts'
export { MAX_FIELD_DEPTH } from './field-value.ts'
export type { HeldBlock } from './held-block.ts'
export type { BatchRecord, Intake, IntakeBatch, Received, RestoreRequest } from './intake.ts'
export { MAX_BATCH_RECORD_LENGTH } from './intake.ts'
export type { MemorySoupOptions } from './memory.ts'
export { createMemorySoupStore } from './memory.ts'
export type { Outbox, QueuedEvent } from './outbox.ts'
export { MAX_EVENT_LENGTH, MAX_EVENTS } from './outbox.ts'
export type { Condition, Query } from './query.ts'
export type { Reclaim } from './reclaim.ts'
export type { MendableRecords, Records, SwapOptions } from './records.ts'
export { MAX_RECORD_KEY_LENGTH, MAX_RECORD_LENGTH } from './records.ts'
export type {
  Auditable,
  Change,
  Committed,
  Counts,
  FeedItem,
  FeedRange,
  KeyedEntry,
  KeyedMember,
  Member,
  Soup,
  SoupReader,
  SoupView,
} from './soup.ts'
export type { SoupErrorCode } from './soup-error.ts'
export type { SoupStore, VaultSoup } from './soup-store.ts'
export { storeAndCommit } from './store-and-commit.ts'
export type { ExpectedTenure, Tenure, TenureMove, TenureState, Tenures } from './tenures.ts'

// For those who write a store.

export type { Brought } from './admission.ts'
export { admitBatch, admitChange, checkBatch, checkChange } from './admission.ts'
export type { MoveContent } from './check-move.ts'
export { checkMove, MAX_EVIDENCE_LENGTH } from './check-move.ts'
export { checkQuery, QUERY_LIMITS } from './check-query.ts'
export type { CompiledQuery } from './compile-query.ts'
export { compileQuery } from './compile-query.ts'
export { fieldOf, matches } from './condition.ts'
export type { EntryTransition, StoredEntry } from './entry-change.ts'
export { changeEntry } from './entry-change.ts'
export { checkBatchRange } from './intake.ts'
export { checkLimit } from './limit.ts'
export { orderKey } from './order-key.ts'
export { checkSettled } from './outbox.ts'
export type { StoredBytes } from './plan-entries.ts'
export { checkExpected, planEntries, refKey } from './plan-entries.ts'
export { checkRecordKey, checkRecordPrefix, checkSwap, recordConflict, soundRecord } from './records.ts'
export type { Stock } from './tenure.ts'
export { nextTenure, noTenure, TENURE_STATES } from './tenure.ts'
