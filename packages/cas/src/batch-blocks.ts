import type { Block } from './cas.ts'

// One flush costs about as much as writing some mebibytes; 4,096 bounds the work and the rows of a batch of small blocks.
const BATCH_LENGTH = 8 * 1024 * 1024
const BATCH_COUNT = 4096

/** Gathers blocks into batches of about 8 MiB, or 4,096 blocks, in order: of one long file as of many small ones. */
export async function* batchBlocks<B extends Block>(
  blocks: AsyncIterable<B> | Iterable<B>,
): AsyncGenerator<readonly B[]> {
  let batch: B[] = []
  let length = 0
  for await (const block of blocks) {
    batch.push(block)
    length += block.bytes.length
    if (length < BATCH_LENGTH && batch.length < BATCH_COUNT) continue
    yield batch
    batch = []
    length = 0
  }
  if (batch.length > 0) yield batch
}
