import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { codecOf, createHasher, equalBytes, hashBytes } from '@vault/core'
import type { BulkCasReader, CasReader } from './cas.ts'
import type { StoredFile } from './file-blocks.ts'
import type { FileDigests, FileManifest, FilePart } from './file-manifest.ts'
import { parseManifest, parseRoot } from './file-manifest.ts'
import type { Place } from './nesting.ts'
import { placeBelow } from './nesting.ts'
import { isBetween, malformed, missing, readNode } from './node.ts'
import { readInOrder } from './read-in-order.ts'

/** What reading a file needs of a store. */
export interface FileReader extends Pick<CasReader, 'get'>, BulkCasReader {}

/** Bytes `start` to `end`, the latter not included. What lies beyond the content is left out, as in `slice`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** What is known of a file from its root. */
export interface FileInfo extends StoredFile, FileDigests {}

/** A block of content and where it lies in the file. */
interface Leaf extends FilePart {
  readonly start: number
}

/** A manifest under way: where its content begins, and where it stands below the root. */
interface Descent {
  readonly root: ContentId
  readonly manifest: FileManifest
  readonly start: number
  readonly place: Place | undefined
}

// What is asked for in one batch. What is held is this much for every batch that the store reads ahead.
const BATCH_LENGTH = 8 * 1024 * 1024

/**
 * The content of a file, or of a range of it, in order. Touches only the blocks that the range needs, and holds some
 * batches of 8 MiB. Manifests are hostile until checked: sizes, depths and counts of every one that is read, and the
 * BLAKE3 of the content where all of it is read. That is known only after the last byte: what was read before an error
 * is not the file. Throws `CAS_MISSING`, `CAS_CORRUPT`, `CAS_MALFORMED`, `CAS_FORMAT`.
 */
export async function* readFile(
  reader: FileReader,
  id: ContentId,
  options: AbortOptions & { readonly range?: ByteRange } = {},
): AsyncGenerator<Bytes> {
  options.signal?.throwIfAborted()
  const range = checkRange(options.range)
  if (codecOf(id) === 'raw') {
    const wanted = (await readRaw(reader, id, options)).subarray(range.start, range.end)
    if (wanted.length > 0) yield wanted
    return
  }
  const root = parseRoot(id, await readNode(reader, { id }, options))
  const isWhole = range.start === 0 && range.end >= root.size
  const hasher = isWhole ? createHasher('blake3') : undefined
  const leaves = leavesOf(reader, { root: id, manifest: root, start: 0, place: undefined }, range, options)
  for await (const { part, bytes } of readInOrder(reader, id, leaves, options)) {
    options.signal?.throwIfAborted()
    const wanted = bytes.subarray(Math.max(0, range.start - part.start), range.end - part.start)
    hasher?.update(wanted)
    yield wanted
  }
  if (hasher !== undefined && !equalBytes(hasher.digest(), root.digests.blake3)) {
    throw malformed(id, 'the BLAKE3 hash of its content is not the one that it states')
  }
}

/** Size and hashes of a file. Those of a manifest are what it states; {@link readFile} checks them. */
export async function fileInfo(
  reader: Pick<CasReader, 'get'>,
  id: ContentId,
  options?: AbortOptions,
): Promise<FileInfo> {
  options?.signal?.throwIfAborted()
  if (codecOf(id) === 'raw') {
    const bytes = await readRaw(reader, id, options)
    return { id, size: bytes.length, blake3: hashBytes('blake3', bytes), sha256: hashBytes('sha2-256', bytes) }
  }
  const { size, digests } = parseRoot(id, await readNode(reader, { id }, options))
  return { id, size, ...digests }
}

function checkRange(range: ByteRange = { start: 0, end: Number.MAX_SAFE_INTEGER }): ByteRange {
  const { start, end } = range
  if (isBetween(start, 0) && isBetween(end, start)) return range
  throw new RangeError(
    `A range from ${start} to ${end} is none: both are integers, start is at least 0, end at least start.`,
  )
}

async function readRaw(
  reader: Pick<CasReader, 'get'>,
  id: ContentId,
  options: AbortOptions | undefined,
): Promise<Bytes> {
  const bytes = await reader.get(id, options)
  if (bytes === undefined) throw missing(id)
  return bytes
}

/** The blocks of content that the range touches, in order, in batches; reads the manifests on the way to them. */
async function* leavesOf(
  reader: FileReader,
  { root, manifest, start, place }: Descent,
  range: ByteRange,
  options: AbortOptions,
): AsyncGenerator<readonly Leaf[]> {
  const { depth, parts } = manifest
  let batch: Leaf[] = []
  let length = 0
  let end = start
  for (const [index, { id, size }] of parts.entries()) {
    const leaf = { id, size, start: end }
    end += size
    if (end <= range.start || leaf.start >= range.end) continue
    if (depth > 0) {
      const below = { ...placeBelow({ depth, place }, { index, count: parts.length }), size }
      const child = parseManifest(id, await readNode(reader, { id, root }, options), below)
      yield* leavesOf(reader, { root, manifest: child, start: leaf.start, place: below }, range, options)
      continue
    }
    batch.push(leaf)
    length += size
    if (length < BATCH_LENGTH) continue
    yield batch
    batch = []
    length = 0
  }
  if (batch.length > 0) yield batch
}
