import type { AbortOptions, Bytes } from '@vault/core'
import { decode, encode, equalBytes, hasFields, isVaultError } from '@vault/core'
import type { LogNode, LogNodes } from '@vault/merkle'
import { EMPTY_ROOT, nodeHash } from '@vault/merkle'
import { openCheckpoint } from './checkpoint.ts'
import { trailError } from './trail-error.ts'
import type { LogIdentity } from './trail-head.ts'

/** Two checkpoints that one log has signed, and what shows that they cannot both be true. */
export interface ForkEvidence {
  /** The signed notes, that of the smaller size first. */
  readonly notes: readonly [Bytes, Bytes]
  /**
   * Hashes from which both the root of the larger size and the root over its first entries follow; empty where the sizes
   * are equal.
   */
  readonly proof: readonly Bytes[]
}

/** What evidence shows. */
export interface ProvenFork {
  readonly sizes: readonly [number, number]
  /** The root that the log signed for the smaller size, and the root that the same entries have in the larger one. */
  readonly signed: Bytes
  readonly actual: Bytes
}

const MAX_LENGTH = 2_200_000
const MAX_HASHES = 128

/**
 * The bytes of evidence that a log has signed two histories. `larger` has the tree of the larger one; not asked where the
 * sizes are equal. Throws what {@link verifyEvidence} throws where the two notes are no evidence.
 */
export async function forkEvidence(
  { notes, larger }: { readonly notes: readonly [Uint8Array, Uint8Array]; readonly larger?: LogNodes },
  identity: LogIdentity,
  options?: AbortOptions,
): Promise<Bytes> {
  const opened = notes.map((note) => ({ note, size: openCheckpoint(note, identity).checkpoint.size }))
  const [small, large] = opened.sort((a, b) => a.size - b.size) as [(typeof opened)[0], (typeof opened)[0]]
  const proof: Bytes[] = []
  if (small.size !== large.size) {
    if (larger === undefined) throw new RangeError('For two sizes the tree of the larger one is needed.')
    for (const { from, to } of ranges({ from: 0, to: large.size }, small.size)) {
      proof.push(await rangeRoot(larger, from, to, options))
    }
  }
  const bytes = encode({ type: 'fork-evidence', v: 1, notes: [small.note, large.note], proof })
  verifyEvidence(bytes, identity)
  return bytes
}

/**
 * Returns what the evidence shows: that the log signed two checkpoints of which one is false. Needs nothing but the log's
 * keys. Throws `AUDIT_EVIDENCE_INVALID`, also where both checkpoints may be true, and the errors of `openCheckpoint`.
 */
export function verifyEvidence(bytes: Uint8Array, identity: LogIdentity): ProvenFork {
  const { notes, proof } = decodeEvidence(bytes)
  const [small, large] = notes.map((note) => openCheckpoint(note, identity).checkpoint)
  if (small === undefined || large === undefined || small.size > large.size) throw invalid('its notes are not in order')
  let actual = large.root
  if (small.size < large.size) {
    const parts = [...ranges({ from: 0, to: large.size }, small.size)]
    if (proof.length !== parts.length) throw invalid(`its proof has not ${parts.length} hashes`)
    const roots = bothRoots({ from: 0, to: large.size }, small.size, [...proof])
    if (!equalBytes(roots.whole, large.root)) throw invalid('its proof does not lead to the larger root')
    actual = roots.beginning ?? EMPTY_ROOT
  } else if (proof.length > 0) throw invalid('equal sizes need no proof')
  if (equalBytes(actual, small.root)) throw invalid('both checkpoints can be true')
  return { sizes: [small.size, large.size], signed: small.root, actual }
}

/** Evidence from bytes of any origin, not verified. Throws `AUDIT_EVIDENCE_INVALID`, and nothing else. */
export function decodeEvidence(bytes: Uint8Array): ForkEvidence {
  let value: unknown
  try {
    value = decode(bytes, { maxBytes: MAX_LENGTH, maxDepth: 3, maxItems: MAX_HASHES + 8 })
  } catch (cause) {
    if (!isVaultError(cause)) throw cause
    throw invalid('it is not strict DAG-CBOR within the limits', cause)
  }
  if (!hasFields(value, 'type', 'v', 'notes', 'proof') || value.type !== 'fork-evidence' || value.v !== 1) {
    throw invalid('it has not the fields of version 1')
  }
  const { notes, proof } = value
  if (!isBytesList(notes) || notes.length !== 2) throw invalid('it has not two notes')
  if (!isBytesList(proof) || proof.some(({ length }) => length !== 32)) throw invalid('its proof is no list of hashes')
  return { notes: notes as unknown as readonly [Bytes, Bytes], proof }
}

interface Range {
  readonly from: number
  readonly to: number
}

/** The largest power of two below a number of leaves, where a tree of that many is split. */
function splitOf(leaves: number): number {
  let width = 1
  while (width * 2 < leaves) width *= 2
  return width
}

/** The subtrees of a tree, from left to right, that lie wholly before `size` or wholly behind it, and are as large as can be. */
function* ranges({ from, to }: Range, size: number): Generator<Range> {
  if (to <= size || from >= size) return yield { from, to }
  const middle = from + splitOf(to - from)
  yield* ranges({ from, to: middle }, size)
  yield* ranges({ from: middle, to }, size)
}

/** The root of a subtree and of what of it lies before `size`, from the hashes of {@link ranges}, which are used up. */
function bothRoots({ from, to }: Range, size: number, hashes: Bytes[]): { whole: Bytes; beginning: Bytes | undefined } {
  if (to <= size || from >= size) {
    const whole = hashes.shift() as Bytes
    return { whole, beginning: to <= size ? whole : undefined }
  }
  const middle = from + splitOf(to - from)
  const left = bothRoots({ from, to: middle }, size, hashes)
  const right = bothRoots({ from: middle, to }, size, hashes)
  const beginning =
    left.beginning && right.beginning ? nodeHash(left.beginning, right.beginning) : (left.beginning ?? right.beginning)
  return { whole: nodeHash(left.whole, right.whole), beginning }
}

/** The hash of a subtree that may end with the log, and so be incomplete. */
async function rangeRoot(nodes: LogNodes, from: number, to: number, options?: AbortOptions): Promise<Bytes> {
  const node = completeSubtree(from, to)
  if (node !== undefined) return (await nodes.read([node], options))[0] as Bytes
  const middle = from + splitOf(to - from)
  return nodeHash(await rangeRoot(nodes, from, middle, options), await rangeRoot(nodes, middle, to, options))
}

function completeSubtree(from: number, to: number): LogNode | undefined {
  const level = Math.log2(to - from)
  return Number.isInteger(level) ? { level, index: from / (to - from) } : undefined
}

function isBytesList(value: unknown): value is readonly Bytes[] {
  return Array.isArray(value) && value.every((each) => each instanceof Uint8Array)
}

function invalid(reason: string, cause?: unknown): Error {
  return trailError('AUDIT_EVIDENCE_INVALID', `No evidence of a fork: ${reason}.`, {}, cause)
}
