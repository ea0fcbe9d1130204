export type { RollbackStrategy, TypeContract } from './contract.ts'
export { BUILT_IN_TYPES, contractOf, declarationKey } from './contract.ts'
export type { Entry } from './entry.ts'
export { decodeEntry, encodeEntry, entryKey, entryValue, MAX_ENTRY_LENGTH, MAX_KEY_LENGTH, versionId } from './entry.ts'
export { isTombstone } from './entry-change.ts'
export type { FieldMap, FieldValue } from './field-value.ts'
export { MAX_FIELD_DEPTH } from './field-value.ts'
export type { MemorySoupOptions } from './memory.ts'
export { createMemorySoupStore } from './memory.ts'
export type { Condition, Query } from './query.ts'
export type {
  Auditable,
  Change,
  Committed,
  Condemning,
  Counts,
  ExpectedTenure,
  FeedItem,
  FeedRange,
  Intake,
  IntakeBatch,
  KeyedEntry,
  KeyedMember,
  Member,
  Soup,
  SoupErrorCode,
  SoupReader,
  SoupStore,
  SoupView,
  Tenure,
  TenureState,
  Tenures,
  VaultSoup,
} from './soup.ts'

// For those who write a store.

export { checkQuery, QUERY_LIMITS } from './check-query.ts'
export type { CompiledQuery } from './compile-query.ts'
export { compileQuery } from './compile-query.ts'
export { fieldOf, matches } from './condition.ts'
export type { EntryTransition, StoredEntry } from './entry-change.ts'
export { changeEntry } from './entry-change.ts'
export { orderKey } from './order-key.ts'
export type { StoredBytes } from './plan-entries.ts'
export { checkExpected, planEntries, refKey } from './plan-entries.ts'
export type { TenureMove } from './tenure.ts'
export { nextTenure, noTenure } from './tenure.ts'
