export type { Checkpoint, LogKey, OpenCheckpoint } from './checkpoint.ts'
export { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts'
export type { Cosigner } from './cosignature.ts'
export {
  cosignerKeyId,
  createCosigner,
  formatCosignerVkey,
  parseCosignerVkey,
  verifyCosignature,
} from './cosignature.ts'
export { cosignedMessage } from './cosigned-message.ts'
export type { DrainOptions, EventQueue } from './drain-queue.ts'
export { drainQueue } from './drain-queue.ts'
export { decodeEntryBundle, encodeEntryBundle, MAX_ENTRY_BUNDLE_LENGTH, MAX_ENTRY_LENGTH } from './entry-bundle.ts'
export type { AuditErrorCode } from './error.ts'
export type { Note, NoteSignature } from './note.ts'
export {
  encodeNote,
  formatSignatureLines,
  MAX_NOTE_LENGTH,
  MAX_NOTE_SIGNATURES,
  parseNote,
  parseSignatureLines,
} from './note.ts'
export type { NoteKey, NoteSigner } from './note-key.ts'
export { createNoteSigner, formatVkey, noteKeyId, parseVkey, verifyNote } from './note-key.ts'
export { originOf } from './origin.ts'
export type { EntryBundleTile, HashTile, Tile } from './tile.ts'
export { entriesPath, parseTilePath, pathOfTile, TILE_WIDTH, tilePath, tilesFor } from './tile.ts'
export type { ProvenEntry, TlogProof } from './tlog-proof.ts'
export {
  encodeTlogProof,
  MAX_EXTRA_LENGTH,
  MAX_TLOG_PROOF_LENGTH,
  parseTlogProof,
  verifyTlogProof,
} from './tlog-proof.ts'

// Trails: what happened, kept in a log.

export type { Appended, Appender } from './appender.ts'
export { createAppender } from './appender.ts'
export type { AuthenticTiles } from './authentic-tiles.ts'
export { describeEntry, toJsonLine } from './describe-entry.ts'

export type { AuditAction, AuditActor, AuditContext, AuditEntry, AuditEvent } from './entry.ts'
export { decodeEntry, decodeEvent, encodeEvent, eventOf, MAX_EVENT_LENGTH, sealEntry } from './entry.ts'
export type { ForkEvidence, ProvenFork } from './fork-evidence.ts'
export { decodeEvidence, forkEvidence, verifyEvidence } from './fork-evidence.ts'
export type { HealOptions, HealStep } from './heal-trail.ts'
export { healTrail } from './heal-trail.ts'
export type { ImportOptions, ImportStep } from './import-trail.ts'
export { importTrail } from './import-trail.ts'
export type { LogFile, LogReader, LogStore, StagingLogStore, StoredLog } from './log-store.ts'
export { checkFolder, checkpointName, checkReadName, checkWriteName } from './log-store.ts'
export type { HighWaterMark, Mark, Standing } from './mark.ts'
export { checkMark } from './mark.ts'
export { decodeMark, encodeMark } from './mark-bytes.ts'
export type { LogStep, MemoryLog, MemoryLogOptions } from './memory-log.ts'
export { createMemoryLog } from './memory-log.ts'
export type { AuditQuery, CompiledQuery, QueryTime } from './query.ts'
export { AUDIT_QUERY_LIMITS, compileQuery, matchesQuery } from './query.ts'
export { parseAuditQuery } from './query-text.ts'
export type {
  EntryRange,
  Head,
  IndexedEntry,
  QueryOptions,
  Trail,
  TrailOptions,
  TrailReader,
} from './trail.ts'
export { openTrail } from './trail.ts'
export type { TrailErrorCode } from './trail-error.ts'
export type { LogIdentity, TrailHead } from './trail-head.ts'
export { openHead } from './trail-head.ts'
export type { VerifyOptions, VerifyStep } from './verify-trail.ts'
export { verifyTrail } from './verify-trail.ts'
