import type { AbortOptions } from '@vault/core'
import { VaultError } from '@vault/core'
import { batchBlocks } from './batch-blocks.ts'
import type { BatchAck, Block, BulkCas, CasErrorCode } from './cas.ts'
import type { ContentFormat, StoredFile } from './file-blocks.ts'
import { fileBlocks } from './file-blocks.ts'

/** Blocks that are durable. */
export interface WrittenBatch<B extends Block> {
  readonly ack: BatchAck
  /** As they came, with all that the caller attached to them. */
  readonly blocks: readonly B[]
}

/**
 * Stores blocks of any number of files and directories in batches, and yields each batch when it is durable, in order:
 * what a caller needs for the `commit` that takes them under charge. Keeps the batches that are under way and no more.
 */
export async function* writeBlocks<B extends Block>(
  store: BulkCas,
  blocks: AsyncIterable<B> | Iterable<B>,
  options?: AbortOptions,
): AsyncGenerator<WrittenBatch<B>> {
  options?.signal?.throwIfAborted()
  const underWay: (readonly B[])[] = []
  let isAllSent = false
  async function* batches(): AsyncGenerator<readonly B[]> {
    for await (const batch of batchBlocks(blocks)) {
      underWay.push(batch)
      yield batch
    }
    isAllSent = true
  }
  for await (const ack of store.putMany(batches(), options)) {
    const written = underWay.shift()
    if (written !== undefined) yield { ack, blocks: written }
  }
  if (underWay.length > 0 || !isAllSent) {
    throw new VaultError<CasErrorCode>({
      code: 'CAS_WRITE_FAILED',
      message: 'The store ended without acknowledging all blocks. Write again what was not yielded.',
    })
  }
}

/**
 * Stores a file and gives its id. Resolves when all of it is durable. Who must also know the blocks passes
 * {@link fileBlocks} to {@link writeBlocks}. Throws `CAS_WRITE_FAILED`. The pieces are used as in {@link fileBlocks}.
 */
export async function writeFile(
  store: BulkCas,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  content: ContentFormat,
  options?: AbortOptions,
): Promise<StoredFile> {
  let file: StoredFile | undefined
  for await (const { blocks } of writeBlocks(store, fileBlocks(pieces, content, options), options)) {
    file = blocks.at(-1)?.file
  }
  return file as StoredFile
}
