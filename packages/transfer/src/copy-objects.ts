import type { Block, BulkCas, BulkCasReader, LentBatch } from '@vault/cas'
import { lendMany, linksOf } from '@vault/cas'
import type { AbortOptions, ContentId, Finding } from '@vault/core'
import type { Intake, Member, SoupReader } from '@vault/soup'
import { storeAndCommit } from '@vault/soup'
import { confirm, refused } from './confirm-ack.ts'
import type { TransferFindingCode } from './error.ts'
import { readAhead } from './read-ahead.ts'

/** Where objects are copied from. The content store is not trusted; the soup says what is under charge. */
export interface CopySource {
  readonly objects: BulkCasReader
  readonly soup: SoupReader
}

/** Where they are copied to. */
export interface CopyTarget {
  readonly objects: BulkCas
  readonly soup: SoupReader
  readonly intake: Pick<Intake, 'receive'>
}

/** Objects that are durable at the target and under its charge. */
export interface CopiedObjects {
  readonly ids: readonly ContentId[]
  /** Bytes of content. */
  readonly bytes: number
  /** Every object of this window that the source has under charge and cannot give. */
  readonly lost: readonly Finding[]
}

export interface CopyObjectsOptions extends AbortOptions {
  /** Stated with every change at the target. */
  readonly migration: string
  /** Takes nothing of a window under charge from which something is lost: the target asks that links lead somewhere. */
  readonly closed?: boolean
}

// What one flush is shared by. Larger batches cost memory and gain nothing on the disks measured.
const BATCH_BYTES = 8 * 1024 * 1024
const BATCH_BLOCKS = 4_096
// One batch being written, two read ahead, one being filled.
const READ_AHEAD = 2
// A change is one transaction, during which other writers wait: some tenths of a second, links counted as members are.
const CHANGE_MEMBERS = 16_384
const CHANGE_LINKS = 65_536

/**
 * Copies windows of objects: reads, checks that the target acknowledges exactly what was sent (M034), and takes each
 * window under charge, in its order, in changes that are short. Reading goes on while a batch is flushed. A window is in
 * memory only batch by batch; give ids ascending by their table key, because the target's rows are then inserted in order, which is several
 * times as fast. Objects that leave the source's charge meanwhile are passed over. Throws `TRANSFER_REFUSED` and what
 * the stores throw.
 */
export async function* copyObjects(
  source: CopySource,
  target: CopyTarget,
  windows: AsyncIterable<readonly ContentId[]> | Iterable<readonly ContentId[]>,
  options: CopyObjectsOptions,
): AsyncGenerator<CopiedObjects> {
  for await (const window of windows) {
    yield await storeAndCommit(() => copyWindow(source, target, window, options))
  }
}

async function copyWindow(
  source: CopySource,
  target: CopyTarget,
  window: readonly ContentId[],
  options: CopyObjectsOptions,
): Promise<CopiedObjects> {
  const { migration, closed = false, signal } = options
  const unread = new Set(window)
  const damaged: ContentId[] = []
  const sent: Sent = { unanswered: [], complete: false }
  const members = new Map<ContentId, Member>()
  const segments = new Set<string>()
  let bytes = 0
  const batches = readAhead(readBatches(source.objects, window, unread, damaged, { signal }), READ_AHEAD)
  for await (const ack of target.objects.putMany(recorded(batches, sent), { signal })) {
    const { blocks, release } = sent.unanswered.shift() ?? NOTHING
    confirm(blocks, ack)
    if (ack.segment !== '') segments.add(ack.segment)
    for (const block of blocks) {
      members.set(block.id, memberOf(block))
      bytes += block.bytes.length
    }
    release()
  }
  // A store that takes no more has not said yes to what it did not take.
  const open = sent.complete ? sent.unanswered[0]?.blocks[0]?.id : window.find((id) => !members.has(id))
  if (open !== undefined) throw refused(open, 'was never acknowledged')
  const lost = await lostAt(source.soup, [...unread], damaged, { signal })
  if (closed && lost.length > 0) return { ids: [], bytes: 0, lost }
  const ids: ContentId[] = []
  for (const add of changesOf(window, members)) {
    await target.intake.receive({ migration, segments: [...segments], objects: { add } }, { signal })
    for (const { id } of add) ids.push(id)
  }
  return { ids, bytes, lost }
}

/** Members in the order of the window, whatever order the source read in, and in changes that one transaction can carry. */
function* changesOf(window: readonly ContentId[], members: Map<ContentId, Member>): Generator<readonly Member[]> {
  let change: Member[] = []
  let links = 0
  for (const id of window) {
    const member = members.get(id)
    // One that stands in the window twice is one; what has gone into a change need not be kept.
    if (member === undefined || !members.delete(id)) continue
    if (change.length === CHANGE_MEMBERS || (change.length > 0 && links + member.links.length > CHANGE_LINKS)) {
      yield change
      change = []
      links = 0
    }
    change.push(member)
    links += member.links.length
  }
  if (change.length > 0) yield change
}

/**
 * Batches of blocks in the order in which the source reads best; takes what was answered out of `unread`. Not cas's
 * `batchBlocks`, which takes block by block: that is a promise for each.
 */
async function* readBatches(
  objects: BulkCasReader,
  window: readonly ContentId[],
  unread: Set<ContentId>,
  damaged: ContentId[],
  options: AbortOptions,
): AsyncGenerator<Batch> {
  let blocks: Block[] = []
  let bytes = 0
  // Borrowed pieces whose last block is in this batch: batches are acknowledged in order, so they are free with it.
  let borrowed: LentBatch[] = []
  const take = (): Batch => {
    const done = borrowed
    const batch = { blocks, release: () => done.forEach((piece) => void piece.release()) }
    blocks = []
    bytes = 0
    borrowed = []
    return batch
  }
  for await (const piece of lendMany(objects, [window], options)) {
    damaged.push(...piece.damaged)
    for (const block of piece.blocks) {
      // A block nobody asked for must not come under charge, and one that comes twice is one.
      if (!unread.delete(block.id)) continue
      if (blocks.length === BATCH_BLOCKS || bytes + block.bytes.length > BATCH_BYTES) yield take()
      blocks.push(block)
      bytes += block.bytes.length
    }
    borrowed.push(piece)
  }
  if (blocks.length > 0) yield take()
}

/** Blocks that go into one flush. */
interface Batch {
  readonly blocks: readonly Block[]
  /** Their bytes are needed no more. */
  release(): void
}

const NOTHING: Batch = { blocks: [], release() {} }

/** What was handed over to the target. */
interface Sent {
  readonly unanswered: Batch[]
  /** Everything that could be read has been handed over. */
  complete: boolean
}

async function* recorded(batches: AsyncIterable<Batch>, sent: Sent): AsyncGenerator<readonly Block[]> {
  for await (const batch of batches) {
    sent.unanswered.push(batch)
    yield batch.blocks
  }
  sent.complete = true
}

/** From the bytes, never from what the source says of them. */
function memberOf(block: Block): Member {
  return { id: block.id, size: block.bytes.length, links: linksOf(block) }
}

/** Of the objects that could not be read, those that are still under charge: the others were removed meanwhile. */
async function lostAt(
  soup: SoupReader,
  unread: readonly ContentId[],
  damaged: readonly ContentId[],
  options: AbortOptions,
): Promise<readonly Finding[]> {
  if (unread.length === 0) return []
  const rotten = new Set(damaged)
  const charged = await soup.charged(unread, options)
  return unread.filter((_, i) => charged[i]).map((id) => lostFinding(id, rotten.has(id)))
}

function lostFinding(id: ContentId, damaged: boolean): Finding {
  const code: TransferFindingCode = damaged ? 'TRANSFER_SOURCE_DAMAGED' : 'TRANSFER_SOURCE_MISSING'
  const what = damaged ? 'has bytes at the source that are not what its id names' : 'has no bytes at the source'
  return { code, message: `Object ${id} ${what}. Restore it there from another copy, then run again.`, subject: id }
}
