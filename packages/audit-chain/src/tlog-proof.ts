import type { Bytes } from '@vault/core'
import { fromUtf8, isVaultError, utf8 } from '@vault/core'
import { leafHash, verifyInclusion } from '@vault/merkle'
import { fromBase64, toBase64 } from './base64.ts'
import type { OpenCheckpoint } from './checkpoint.ts'
import { openCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { parseDecimal } from './decimal.ts'
import { invalidProof } from './error.ts'
import { MAX_NOTE_LENGTH, parseNote } from './note.ts'
import type { NoteKey } from './note-key.ts'

/** That a log holds an entry, in one file that is verified offline (C2SP tlog-proof, version 1). */
export interface TlogProof {
  /** Position of the entry in the log, from 0. */
  readonly index: number
  /** The Merkle inclusion proof, from the leaf's sibling to the root's child; hashes of 32 bytes, at most 53. */
  readonly proof: readonly Bytes[]
  /** The bytes of the signed checkpoint. */
  readonly checkpoint: Bytes
  /** 1 to {@link MAX_EXTRA_LENGTH} bytes beside the proof. Nothing authenticates them. */
  readonly extra?: Bytes
}

/** An entry of a log, proven. */
export interface ProvenEntry extends OpenCheckpoint {
  /** Position of the entry in the log, from 0. */
  readonly index: number
}

/** Bytes of the longest extra data that is taken. */
export const MAX_EXTRA_LENGTH = 65_536
/** Bytes of the longest proof that is taken: the longest note, and 100,000 for what stands before it. */
export const MAX_TLOG_PROOF_LENGTH: number = MAX_NOTE_LENGTH + 100_000

const HEADER = 'c2sp.org/tlog-proof@v1'
const EXTRA = 'extra '
const INDEX = 'index '
const HASH_LENGTH = 32
/** Height of a tree of 2^53 - 1 leaves. */
const MAX_HASHES = 53

/**
 * A proof as bytes, for a file named `*.tlog-proof`. Throws for one that {@link parseTlogProof} would refuse, with the
 * same codes.
 */
export function encodeTlogProof(content: {
  readonly index: number
  readonly proof: readonly Uint8Array[]
  readonly checkpoint: Uint8Array
  readonly extra?: Uint8Array
}): Bytes {
  const { index, proof, checkpoint, extra } = content
  for (const hash of proof) checkHash(hash)
  const lines = [
    HEADER,
    ...(extra === undefined ? [] : [`${EXTRA}${toBase64(extra)}`]),
    `${INDEX}${index}`,
    ...proof.map(toBase64),
  ]
  const bytes = utf8(`${lines.join('\n')}\n\n${decodeText(checkpoint)}`)
  parseTlogProof(bytes)
  return bytes
}

/**
 * A proof from bytes of any origin, not verified. Throws `AUDIT_PROOF_INVALID`, and for its checkpoint
 * `AUDIT_NOTE_INVALID` or `AUDIT_CHECKPOINT_INVALID`; nothing else.
 */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  if (bytes.length > MAX_TLOG_PROOF_LENGTH) throw invalidProof(`it has more than ${MAX_TLOG_PROOF_LENGTH} bytes`)
  const text = decodeText(bytes)
  const end = text.indexOf('\n\n')
  if (end < 0) throw invalidProof('no blank line stands before its checkpoint')
  const [header, ...lines] = text.slice(0, end).split('\n')
  if (header !== HEADER) throw invalidProof(`its first line is not ${HEADER}`)
  const extra = lines[0]?.startsWith(EXTRA) ? parseExtra(lines.shift() as string) : undefined
  const index = parseIndex(lines.shift())
  if (lines.length > MAX_HASHES) throw invalidProof(`it has more than ${MAX_HASHES} hashes`)
  const proof = lines.map(parseHash)
  const checkpoint = utf8(text.slice(end + 2))
  const { size } = parseCheckpoint(parseNote(checkpoint).text)
  if (index >= size) throw invalidProof(`its log has ${size} entries, and none at ${index}`)
  return { index, proof, checkpoint, ...(extra === undefined ? {} : { extra }) }
}

/**
 * Returns where the proof shows that the log with this origin, under one of these keys, holds `leaf`: the very data, not
 * its hash. Otherwise throws `AUDIT_PROOF_INVALID`, `AUDIT_NOTE_INVALID`, `AUDIT_CHECKPOINT_INVALID` or
 * `AUDIT_CHECKPOINT_UNTRUSTED`. Whether witnesses saw the checkpoint too is to be asked of the returned `note`. The
 * extra data is not returned, for nothing proves it.
 */
export function verifyTlogProof(
  bytes: Uint8Array,
  expected: { readonly leaf: Uint8Array; readonly origin: string; readonly keys: readonly NoteKey[] },
): ProvenEntry {
  const { index, proof, checkpoint } = parseTlogProof(bytes)
  const opened = openCheckpoint(checkpoint, expected)
  const { size, root } = opened.checkpoint
  try {
    verifyInclusion({ index, size, root, leaf: leafHash(expected.leaf) }, proof)
  } catch (cause) {
    if (!isVaultError(cause, 'MERKLE_PROOF_INVALID')) throw cause
    throw invalidProof('the data and the hashes do not lead to the root of its checkpoint', cause)
  }
  return { index, ...opened }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    throw invalidProof('it is not UTF-8', cause)
  }
}

function parseExtra(line: string): Bytes {
  const extra = fromBase64(line.slice(EXTRA.length))
  if (extra === undefined || extra.length === 0 || extra.length > MAX_EXTRA_LENGTH) {
    throw invalidProof(`its extra data is not 1 to ${MAX_EXTRA_LENGTH} bytes in strict base64`)
  }
  return extra
}

function parseIndex(line: string | undefined): number {
  const index = line?.startsWith(INDEX) ? parseDecimal(line.slice(INDEX.length)) : undefined
  if (index === undefined) throw invalidProof('it has no line "index" with a decimal number without leading zeros')
  return index
}

function parseHash(line: string): Bytes {
  const hash = fromBase64(line)
  if (hash === undefined) throw invalidProof('a hash is not strict base64')
  checkHash(hash)
  return hash
}

function checkHash(hash: Uint8Array): void {
  if (hash.length !== HASH_LENGTH) throw invalidProof(`a hash has ${hash.length} bytes, not ${HASH_LENGTH}`)
}
