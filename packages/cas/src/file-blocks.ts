import type { AbortOptions, ContentId, HashName } from '@vault/core'
import { contentId, createHasher } from '@vault/core'
import { MAX_BLOCK_LENGTH } from './cas.ts'
import type { FilePart } from './file-manifest.ts'
import { manifestBlock } from './file-manifest.ts'
import { fixedChunks } from './fixed-chunks.ts'
import type { LinkedBlock } from './links.ts'
import { createNesting } from './nesting.ts'

/** How a vault names and cuts its content. Part of its inception, so that equal content has one id wherever the vault goes. */
export interface ContentFormat {
  readonly hash: HashName
  /** `size`: 1 to 1,048,576 bytes. */
  readonly chunker: { readonly kind: 'fixed'; readonly size: number }
}

/** A file by its id, which is that of its root block. */
export interface StoredFile {
  readonly id: ContentId
  /** Bytes of content. */
  readonly size: number
}

/** A block of a file. */
export interface FileBlock extends LinkedBlock {
  /** Present on the last block of a file, its root. */
  readonly file?: StoredFile
}

/**
 * The blocks of a file, parts before what links to them, the root last. Content that fits one chunk is one raw block;
 * longer content gets manifests (formats/file.md). Writes nothing, and keeps one chunk and the open manifests: some
 * mebibytes however long the content is.
 *
 * Pieces may be of any length. Blocks may be views of them, so a piece must not be written to again until its blocks
 * are stored: a store refuses a block that was changed (`CAS_CORRUPT`).
 */
export async function* fileBlocks(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  content: ContentFormat,
  options?: AbortOptions,
): AsyncGenerator<FileBlock> {
  options?.signal?.throwIfAborted()
  const { hash, chunker } = content
  if (!Number.isInteger(chunker.size) || chunker.size < 1 || chunker.size > MAX_BLOCK_LENGTH) {
    throw new RangeError(`A chunk size of ${chunker.size} is not from 1 to ${MAX_BLOCK_LENGTH}.`)
  }
  // One chunk waits: if it is the only one, it is the file.
  let waiting: Uint8Array | undefined
  let manifests: ManifestBuilder | undefined
  for await (const chunk of fixedChunks(pieces, chunker.size)) {
    options?.signal?.throwIfAborted()
    if (waiting !== undefined) {
      manifests ??= createManifestBuilder(hash)
      yield* manifests.push(waiting)
    }
    waiting = chunk
  }
  options?.signal?.throwIfAborted()
  const last = waiting ?? new Uint8Array(0)
  if (manifests === undefined) {
    const block = rawBlock(last, hash)
    yield { ...block, file: { id: block.id, size: last.length } }
  } else {
    yield* manifests.push(last)
    yield* manifests.end()
  }
}

interface ManifestBuilder {
  /** The chunk's block, and the manifests that became complete. */
  push(chunk: Uint8Array): readonly FileBlock[]
  end(): readonly FileBlock[]
}

function createManifestBuilder(hash: HashName): ManifestBuilder {
  const blake3 = createHasher('blake3')
  const sha256 = createHasher('sha2-256')
  const nesting = createNesting<FilePart, FileBlock>((parts, { depth, root }) => {
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    const digests = root ? { digests: { blake3: blake3.digest(), sha256: sha256.digest() } } : {}
    const block = manifestBlock({ size, depth, parts, ...digests }, hash)
    const item = { id: block.id, size }
    return { block: root ? { ...block, file: item } : block, item }
  })
  return {
    push(chunk) {
      blake3.update(chunk)
      sha256.update(chunk)
      const block = rawBlock(chunk, hash)
      return [block, ...nesting.push({ id: block.id, size: chunk.length })]
    },
    end: () => nesting.end(),
  }
}

function rawBlock(bytes: Uint8Array, hash: HashName): LinkedBlock {
  return { id: contentId(bytes, { hash }), bytes, links: [] }
}
