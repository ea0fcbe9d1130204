import type { FileBlock, LinkedBlock } from '@vault/cas'
import { fileBlocks } from '@vault/cas'
import { type AbortOptions, contentId, type Inception } from '@vault/core'
import type { Entry } from '@vault/soup'
import { ordered } from './ordered.ts'
import { sourceEntry } from './path-entry.ts'
import { type LoadedFile, loadFile, readPieces } from './read-file.ts'
import { refuseSecret, secretsWatched } from './secret-file.ts'
import type { SourceDisk } from './source-disk.ts'
import { isSkipped, type SkippedFile, type SourceFile, unlessGone } from './source-file.ts'

/** Where files are read from, and how they are named and cut. */
export interface ReadParts {
  readonly disk: SourceDisk
  readonly content: Inception['content']
}

/** A file with the entry that is to name it and all its blocks. */
export interface WholeFile {
  readonly file: SourceFile
  readonly entry: Entry
  readonly blocks: readonly LinkedBlock[]
}

/** What is stored with one flush: some whole files, or a part of one that is too large for that. */
export type Batch =
  | { readonly type: 'files'; readonly files: readonly WholeFile[] }
  | {
      readonly type: 'part'
      readonly file: SourceFile
      readonly first: boolean
      readonly blocks: readonly LinkedBlock[]
      /** With the last part. */
      readonly entry?: Entry
    }

// A batch costs one flush of the segment and one transaction of the soup, about a millisecond together: at this size a
// small part of the time that its bytes take. A file up to this size goes into a batch whole.
const BATCH_BYTES = 8 * 1024 * 1024
const BATCH_BLOCKS = 4096
const READS_UNDER_WAY = 16

export function blocksOf(batch: Batch): readonly LinkedBlock[] {
  return batch.type === 'part' ? batch.blocks : batch.files.flatMap(({ blocks }) => blocks)
}

/** How files are read. */
export interface ReadOptions extends AbortOptions {
  /** Takes private keys as well. Default: `false`, which refuses them. */
  readonly allowSecrets?: boolean
}

/**
 * Reads and hashes files, in batches of bounded size. Names that files share, or that lie under another's, are left to the one who
 * stores. Throws `FILE_SECRET`.
 */
export async function* fileBatches(
  found: AsyncIterable<SourceFile | SkippedFile>,
  { disk, content }: ReadParts,
  options: ReadOptions,
): AsyncGenerator<Batch | SkippedFile> {
  const batch = new OpenBatch()
  const load = async (file: SourceFile | SkippedFile) =>
    isSkipped(file) ? file : await loadFile(file, { disk, blockSize: content.chunker.size })
  for await (const loaded of ordered(found, READS_UNDER_WAY, load)) {
    options.signal?.throwIfAborted()
    if (isSkipped(loaded)) yield loaded
    else if (loaded.bytes === undefined && loaded.file.stats.size > BATCH_BYTES) {
      yield* batch.take()
      yield* largeFile(loaded.file, { disk, content }, options)
    } else {
      const file = await unlessGone(loaded.file, () => wholeFile(loaded, { disk, content }, options))
      if (isSkipped(file)) yield file
      else batch.add(file)
      if (batch.isFull) yield* batch.take()
    }
  }
  yield* batch.take()
}

/** A file that is larger than a batch, in parts. It is opened before the first part: one that is gone has none. */
export async function* largeFile(
  file: SourceFile,
  { disk, content }: ReadParts,
  options: AbortOptions,
): AsyncGenerator<Extract<Batch, { type: 'part' }> | SkippedFile> {
  const source = fileBlocks(readPieces(file, { disk, size: content.chunker.size }), content, options)
  try {
    let first = true
    let blocks: FileBlock[] = []
    let length = 0
    // The first step opens the file: only there can it be found gone.
    for (let step = await unlessGone(file, () => source.next()); ; step = await source.next()) {
      if (isSkipped(step)) {
        yield step
        return
      }
      const block = step.value as FileBlock
      blocks.push(block)
      length += block.bytes.length
      if (block.file !== undefined) {
        yield { type: 'part', file, first, blocks, entry: sourceEntry(file, block.file.id, block.file.size) }
        return
      }
      if (length < BATCH_BYTES) continue
      yield { type: 'part', file, first, blocks }
      first = false
      blocks = []
      length = 0
    }
  } finally {
    await source.return(undefined)
  }
}

/** Files that come together until they are enough for one flush. */
class OpenBatch {
  #files: WholeFile[] = []
  #blocks = 0
  #bytes = 0

  get isFull(): boolean {
    return this.#bytes >= BATCH_BYTES || this.#blocks >= BATCH_BLOCKS
  }

  add(file: WholeFile): void {
    this.#files.push(file)
    this.#blocks += file.blocks.length
    for (const { bytes } of file.blocks) this.#bytes += bytes.length
  }

  /** What came together, if anything did. */
  *take(): Generator<Batch> {
    if (this.#files.length > 0) yield { type: 'files', files: this.#files }
    this.#files = []
    this.#blocks = 0
    this.#bytes = 0
  }
}

async function wholeFile(
  { file, bytes }: LoadedFile,
  { disk, content }: ReadParts,
  options: ReadOptions,
): Promise<WholeFile> {
  const { allowSecrets = false } = options
  if (bytes !== undefined) {
    if (!allowSecrets) await refuseSecret(file.path, bytes)
    const id = contentId(bytes, { hash: content.hash })
    return { file, entry: sourceEntry(file, id, bytes.length), blocks: [{ id, bytes, links: [] }] }
  }
  const blocks: FileBlock[] = []
  const pieces = readPieces(file, { disk, size: content.chunker.size })
  const watched = allowSecrets ? pieces : secretsWatched(file.path, pieces)
  for await (const block of fileBlocks(watched, content, options)) blocks.push(block)
  return { file, entry: sourceEntry(file, (blocks.at(-1) as FileBlock).id, file.stats.size), blocks }
}
