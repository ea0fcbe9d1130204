import { type BulkCas, batchBlocks, type LinkedBlock } from '@vault/cas'
import type { AbortOptions, ContentId } from '@vault/core'
import type { Member } from '@vault/soup'
import { ByteReader } from './byte-reader.ts'
import { CarGraph, type CarLimits } from './car-graph.ts'
import { confirm, refused } from './confirm-ack.ts'
import { readAhead } from './read-ahead.ts'
import { readCarBlocks, readCarHeader } from './read-car.ts'

export interface ImportCarOptions extends AbortOptions {
  /** What was asked for, and must be there whole. Default: the roots that the CAR itself states. */
  readonly roots?: readonly ContentId[]
  readonly limits?: CarLimits
}

/** A CAR of which every block is durable, and in which everything is that its roots lead to. */
export interface ImportedCar {
  /** Those asked for, else those that the CAR states. */
  readonly roots: readonly ContentId[]
  /** Objects that the roots lead to, themselves included, and the sum of their lengths. */
  readonly objects: number
  readonly bytes: number
  /** Blocks that no root leads to: they lie in the store as orphans, and must not come under charge. */
  readonly unreachable: number
  /** The segments in which the blocks lie, to be stated in the change that brings them under charge. */
  readonly segments: readonly string[]
  /** What is to come under charge, what an object links to before it, in changes that one transaction can carry. */
  changes(): Generator<readonly Member[]>
  /** Length of an object of the CAR; `undefined` where it is not in it. */
  sizeOf(id: ContentId): number | undefined
}

export type ImportCarStep =
  /** Everything so far is durable, and nothing of it under charge. Bytes are those of blocks. */
  | { readonly type: 'stored'; readonly blocks: number; readonly bytes: number }
  /** The last step. */
  | { readonly type: 'complete'; readonly car: ImportedCar }

// As in copy-objects.
const CHANGE_MEMBERS = 16_384
const CHANGE_LINKS = 65_536
/** Batches that are read and hashed while another is flushed. */
const READ_AHEAD = 2

/**
 * Stores the blocks of a CAR of version 1, each hashed before it is handed to the store, in batches; then walks from the
 * roots and requires that everything is there. Brings nothing under charge: that is the caller's, with what the last
 * step says. What was stored of a CAR that is refused stays in the store as orphans.
 *
 * The CAR may come from anyone: lengths are bounded before they are believed (header 64 KiB, block 1 MiB), numbers must
 * be in their one form. Throws `TRANSFER_CAR_INVALID`, `TRANSFER_CAR_FOREIGN`, `TRANSFER_CAR_TOO_LARGE`,
 * `TRANSFER_CAR_MISMATCH`, `TRANSFER_CAR_INCOMPLETE`, `TRANSFER_REFUSED`, and what the store and the chunks throw.
 */
export async function* importCar(
  chunks: AsyncIterable<Uint8Array>,
  target: { readonly objects: BulkCas },
  options: ImportCarOptions = {},
): AsyncGenerator<ImportCarStep> {
  const { signal, limits } = options
  signal?.throwIfAborted()
  const reader = new ByteReader(chunks)
  try {
    const stated = await readCarHeader(reader)
    const graph = new CarGraph(limits)
    const segments = new Set<string>()
    const sent: (readonly LinkedBlock[])[] = []
    async function* batches(): AsyncGenerator<readonly LinkedBlock[]> {
      for await (const batch of batchBlocks(newBlocks(reader, graph, { signal }))) {
        sent.push(batch)
        yield batch
      }
    }
    const total = { blocks: 0, bytes: 0 }
    for await (const ack of target.objects.putMany(readAhead(batches(), READ_AHEAD), { signal })) {
      const batch = sent.shift() ?? []
      confirm(batch, ack)
      if (ack.segment !== '') segments.add(ack.segment)
      total.blocks += batch.length
      for (const { bytes } of batch) total.bytes += bytes.length
      yield { type: 'stored', ...total }
    }
    const open = sent[0]?.[0]?.id
    if (open !== undefined) throw refused(open, 'was never acknowledged')
    const roots = [...new Set(options.roots ?? stated)]
    yield { type: 'complete', car: importedCar(graph, roots, [...segments]) }
  } finally {
    await reader.close()
  }
}

async function* newBlocks(reader: ByteReader, graph: CarGraph, options: AbortOptions): AsyncGenerator<LinkedBlock> {
  for await (const block of readCarBlocks(reader, options)) if (graph.add(block)) yield block
}

function importedCar(graph: CarGraph, roots: readonly ContentId[], segments: readonly string[]): ImportedCar {
  const members = graph.reachable(roots)
  return {
    roots,
    objects: members.length,
    bytes: members.reduce((sum, { size }) => sum + size, 0),
    unreachable: graph.size - members.length,
    segments,
    changes: () => changesOf(members),
    sizeOf: (id) => graph.sizeOf(id),
  }
}

function* changesOf(members: readonly Member[]): Generator<readonly Member[]> {
  let change: Member[] = []
  let links = 0
  for (const member of members) {
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
