// Files, directories and the stores they lie in.

export { batchBlocks } from './batch-blocks.ts'
export type { Blobs } from './blob-cas.ts'
export { createBlobCas } from './blob-cas.ts'
export type {
  BatchAck,
  Block,
  BulkCas,
  BulkCasReader,
  Cas,
  CasErrorCode,
  CasReader,
  ContentStore,
  ErasableCas,
  PlacingCas,
  ReadBatch,
  ReadBlock,
  ReclaimableCas,
  ScrubbableCas,
  ScrubStep,
  StoredRecord,
  StoredSegment,
} from './cas.ts'
export { MAX_BLOCK_LENGTH } from './cas.ts'
export type { ContentFormat, FileBlock, StoredFile } from './file-blocks.ts'
export { fileBlocks } from './file-blocks.ts'
export type { FileDigests } from './file-manifest.ts'
export type { LendingCas, LentBatch } from './lend.ts'
export { lendMany } from './lend.ts'
export type { LinkedBlock } from './links.ts'
export { linksOf } from './links.ts'
export type { MemoryCas } from './memory.ts'
export { createMemoryCas } from './memory.ts'
export type { ByteRange, FileInfo, FileReader } from './read-file.ts'
export { fileInfo, readFile } from './read-file.ts'
export type { WalkedEntry, WalkLimits } from './read-tree.ts'
export { readTree, walkTree } from './read-tree.ts'
export type { ReopenableCas } from './reopen.ts'
export { reopen } from './reopen.ts'
export type { StoredTree, TreeBlock } from './tree-blocks.ts'
export { treeBlocks } from './tree-blocks.ts'
export type { TreeEntry, TreeMode } from './tree-entry.ts'
export { compareNames, TREE_MODES } from './tree-entry.ts'
export type { WrittenBatch } from './write-file.ts'
export { writeBlocks, writeFile } from './write-file.ts'

// For writers of stores.

export { checkBlock, checkLength } from './check-block.ts'
export type { PackBuffer, PackGroup, RecordHeader } from './pack.ts'
export {
  appendGroupEnd,
  appendRecord,
  checkFlags,
  createPackBuffer,
  createPackGroup,
  encodeSegmentHeader,
  GROUP_END_LENGTH,
  matchesIdBytes,
  newerFormat,
  parseRecordHeader,
  parseSegmentHeader,
  RECORD_HEADER_LENGTH,
  recordId,
  recordLength,
  SEGMENT_HEADER_LENGTH,
  SEGMENT_NAME_LENGTH,
  segmentSeed,
} from './pack.ts'
export { crc32 } from './pack-crc.ts'
export {
  compareIdsAt,
  compareRowsAt,
  idKey,
  PACK_ROW_LENGTH,
  PackRows,
  readUint64,
  rowExtra,
  rowOffset,
  rowStored,
  shiftRow,
  sortRows,
  viewOf,
  writeUint64,
} from './pack-rows.ts'
export type { PackCheck, PackDamage, PackEnd, PackRecords } from './pack-scan.ts'
export { scanPack } from './pack-scan.ts'
export type { PackSource, Trailer } from './pack-source.ts'
export { readPart, readTrailer } from './pack-source.ts'
export type { TrailerPlace } from './pack-trailer.ts'
export { encodeTrailer, TRAILER_FOOTER_LENGTH } from './pack-trailer.ts'
