import type { BulkCas, LinkedBlock } from '@vault/cas'
import { type AbortOptions, type ContentId, type Inception, isVaultError } from '@vault/core'
import type { Entry, SoupReader } from '@vault/soup'
import { type Batch, blocksOf, largeFile } from './file-batches.ts'
import { LargeFileMembers } from './large-file-members.ts'
import { type Commit, lastOfEachName, namingChange } from './name-changes.ts'
import type { SeenFile } from './seen/seen-files.ts'
import { SourceDisk } from './source-disk.ts'
import { isSkipped, type SourceFile } from './source-file.ts'

/** The parts of a vault that storing files needs. */
export interface StoreParts {
  readonly objects: BulkCas
  readonly soup: SoupReader
  readonly content: Inception['content']
  readonly commit: Commit
}

export interface StoreOptions extends AbortOptions {
  /** Writes all blocks, also those that are under charge. */
  readonly again?: boolean
}

/** What became of a batch: `bytes` are durable; files, objects and `added` are under charge. */
export interface Stored {
  readonly files: number
  readonly objects: number
  readonly added: number
  readonly bytes: number
  /** The files that are named now, as they were when they were read. */
  readonly named: readonly PutFile[]
}

/** A file of which the vault has all. */
export interface PutFile {
  readonly file: SourceFile
  readonly seen: SeenFile
}

interface Sent {
  readonly batch: Batch
  readonly known: ReadonlySet<ContentId>
  /** The large file that the batch is a part of. */
  readonly large: LargeFileMembers | undefined
}

type Part = Extract<Batch, { type: 'part' }>
/** Another process took away what a change relied on, or stored bytes are gone. Putting all bytes anew cures each. */
const CURABLE: ReadonlySet<string> = new Set(['SOUP_NOT_PRESENT', 'SOUP_CONDEMNED', 'CAS_MISSING'])

/**
 * Stores batches, the next one being read and hashed while one is flushed, and commits each when it is durable. The
 * blocks of a file in parts come under charge with its name, after its last part.
 */
export async function* storeBatches(
  parts: StoreParts,
  batches: AsyncIterable<Batch>,
  options: StoreOptions,
): AsyncGenerator<Stored> {
  const { objects } = parts
  const sent: Sent[] = []
  async function* unknownBlocks(): AsyncGenerator<readonly LinkedBlock[]> {
    let large: LargeFileMembers | undefined
    for await (const batch of batches) {
      if (batch.type === 'files') large = undefined
      else if (batch.first) large = new LargeFileMembers()
      const blocks = distinct(blocksOf(batch))
      const known = options.again ? new Set<ContentId>() : await knownAmong(parts, blocks, options)
      sent.push({ batch, known, large })
      const unknown = blocks.filter(({ id }) => !known.has(id))
      yield large === undefined ? unknown : large.notRecent(unknown)
    }
  }
  for await (const ack of objects.putMany(unknownBlocks(), options)) {
    const { batch, known, large } = sent.shift() as Sent
    const bytes = blocksOf(batch).reduce((sum, block) => sum + block.bytes.length, 0)
    if (batch.type === 'files') {
      yield { ...(await storeFiles(parts, { batch, known }, ack.segment, options)), bytes }
    } else if (large !== undefined) {
      large.add(batch.blocks, known, ack.segment)
      const { file, entry } = batch
      if (entry === undefined) yield { files: 0, objects: 0, added: 0, bytes, named: [] }
      else yield { ...(await nameLargeFile(parts, { file, entry, large }, options)), bytes }
    }
  }
}

/** What storing would do, without doing it. */
export async function* rehearseBatches(
  { soup }: StoreParts,
  batches: AsyncIterable<Batch>,
  options: AbortOptions,
): AsyncGenerator<Stored> {
  for await (const batch of batches) {
    const blocks = distinct(blocksOf(batch))
    const charged = await soup.charged(
      blocks.map(({ id }) => id),
      options,
    )
    const files = batch.type === 'files' ? lastOfEachName(batch.files).length : batch.entry === undefined ? 0 : 1
    const bytes = blocksOf(batch).reduce((sum, block) => sum + block.bytes.length, 0)
    yield { files, objects: blocks.length, added: charged.filter((known) => !known).length, bytes, named: [] }
  }
}

async function storeFiles(
  { objects, soup, commit }: StoreParts,
  { batch, known }: { readonly batch: Extract<Batch, { type: 'files' }>; readonly known: ReadonlySet<ContentId> },
  written: string,
  options: AbortOptions,
): Promise<Omit<Stored, 'bytes'>> {
  const files = lastOfEachName(batch.files)
  const blocks = distinct(files.flatMap((file) => file.blocks))
  const add = blocks.map(({ id, bytes, links }) => ({ id, size: bytes.length, links }))
  const entries = files.map(({ entry }) => entry)
  const change = await namingChange(soup, entries, commit, options)
  const commitRelyingOn = (present: readonly ContentId[], segments: readonly string[]) =>
    commit({ ...change, expect: { present, segments: thoseNamed(segments) }, objects: { ...change.objects, add } })
  let added: number
  try {
    added = await commitRelyingOn(
      add.map(({ id }) => id).filter((id) => known.has(id)),
      [written],
    )
  } catch (error) {
    if (!isCurable(error)) throw error
    const segments: string[] = []
    for await (const { segment } of objects.putMany([blocks], options)) segments.push(segment)
    added = await commitRelyingOn([], segments)
  }
  const named = files.map(({ file, entry, blocks }) => ({
    file,
    seen: { object: objectOf(entry), blocks: distinct(blocks).length },
  }))
  return { files: files.length, objects: add.length, added, named }
}

/** Names a file whose blocks are durable; if they are no more, reads the file once more and stores all of it anew. */
async function nameLargeFile(
  parts: StoreParts,
  { file, entry, large }: { readonly file: SourceFile; readonly entry: Entry; readonly large: LargeFileMembers },
  options: AbortOptions,
): Promise<Omit<Stored, 'bytes'>> {
  try {
    const stored = await commitLargeFile(parts, { entry, large }, options)
    return { ...stored, named: [{ file, seen: { object: objectOf(entry), blocks: large.count } }] }
  } catch (error) {
    if (!isCurable(error)) throw error
    const stored = new LargeFileMembers()
    const sent: Part[] = []
    async function* blocks(): AsyncGenerator<readonly LinkedBlock[]> {
      for await (const part of largeFile(
        { ...file, below: false },
        { disk: new SourceDisk(), content: parts.content },
        options,
      )) {
        if (isSkipped(part)) continue
        sent.push(part)
        yield stored.notRecent(distinct(part.blocks))
      }
    }
    let root = entry
    for await (const { segment } of parts.objects.putMany(blocks(), options)) {
      const part = sent.shift() as Part
      stored.add(part.blocks, new Set(), segment)
      root = part.entry ?? root
    }
    // It was not looked at again before it was read again.
    return { ...(await commitLargeFile(parts, { entry: root, large: stored }, options)), named: [] }
  }
}

/** Parts before what links to them, the name with the last. */
async function commitLargeFile(
  { objects, soup, commit }: StoreParts,
  { entry, large }: { readonly entry: Entry; readonly large: LargeFileMembers },
  options: AbortOptions,
): Promise<Pick<Stored, 'files' | 'objects' | 'added'>> {
  const naming = await namingChange(soup, [entry], commit, options)
  const segments = large.segments
  let added = 0
  for await (const { members: add, present, last } of large.groups(objects, options)) {
    const change = last ? naming : {}
    added += await commit({ ...change, expect: { present, segments }, objects: { ...change.objects, add } })
  }
  return { files: 1, objects: large.count, added }
}

/** Blocks that need no writing: under charge, and held by the store as far as its index tells. */
async function knownAmong(
  { objects, soup }: StoreParts,
  blocks: readonly LinkedBlock[],
  options: AbortOptions,
): Promise<ReadonlySet<ContentId>> {
  const ids = blocks.map(({ id }) => id)
  const charged = await soup.charged(ids, options)
  const asked = ids.filter((_, i) => charged[i])
  const held = await objects.hasMany(asked, options)
  return new Set(asked.filter((_, i) => held[i]))
}

/** What a file's entry names. */
function objectOf({ object }: Entry): ContentId {
  if (object === undefined) throw new TypeError('An entry of a file names an object.')
  return object
}

function isCurable(error: unknown): boolean {
  return isVaultError(error) && CURABLE.has(error.code)
}

function thoseNamed(segments: readonly string[]): readonly string[] {
  return segments.filter((segment) => segment !== '')
}

function distinct(blocks: readonly LinkedBlock[]): readonly LinkedBlock[] {
  return [...new Map(blocks.map((block) => [block.id, block])).values()]
}
