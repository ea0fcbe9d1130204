export type { Checkpoint, OpenCheckpoint } from './checkpoint.ts'
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
