import type { AbortOptions, Bytes } from '@vault/core'
import { fromBase64, toBase64 } from './base64.ts'
import { parseDecimal } from './decimal.ts'
import { invalidCheckpoint, untrustedCheckpoint } from './error.ts'
import type { Note } from './note.ts'
import { checkNoteText, encodeNote, parseNote } from './note.ts'
import type { NoteKey, NoteSigner } from './note-key.ts'
import { verifyNote } from './note-key.ts'

/** What a log says of itself at one size (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** The identity of the log, as a rule its address without a scheme. Not empty. */
  readonly origin: string
  /** Number of entries, 0 to 2^53 - 1. */
  readonly size: number
  /** Root of the Merkle tree of RFC 6962 over these entries, 32 bytes. */
  readonly root: Bytes
  /** Lines that only the log's own users understand, and no monitor can check. Our logs write none. */
  readonly extensions: readonly string[]
}

/** A checkpoint with the note that it came in. */
export interface OpenCheckpoint {
  readonly checkpoint: Checkpoint
  readonly note: Note
  /** The given keys whose signature is in the note and good; at least one has the origin as its name. */
  readonly signedBy: readonly NoteKey[]
}

/** A key of a log, and how far its word goes. */
export interface LogKey extends NoteKey {
  /**
   * Entries of the largest checkpoint that it may have signed: where it handed the log on to another key. Its signature is checked
   * under any checkpoint, and does not count under a larger one. Without it there is no limit.
   */
  readonly maxSize?: number
}

const ROOT_LENGTH = 32

/** The checkpoint that is the text of a note. Throws `AUDIT_CHECKPOINT_INVALID`, and nothing else. Verifies nothing. */
export function parseCheckpoint(text: string): Checkpoint {
  checkText(text)
  const [origin, size, root, ...extensions] = text.slice(0, -1).split('\n')
  if (origin === undefined || size === undefined || root === undefined) {
    throw invalidCheckpoint('it has fewer than three lines')
  }
  const checkpoint = { origin, size: parseDecimal(size) ?? Number.NaN, root: fromBase64(root), extensions }
  checkShape(checkpoint)
  return checkpoint
}

/** The text of a checkpoint. Throws `AUDIT_CHECKPOINT_INVALID` for one that {@link parseCheckpoint} would refuse. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  checkShape(checkpoint)
  const { origin, size, root, extensions } = checkpoint
  const lines = [origin, `${size}`, toBase64(root), ...extensions]
  if (lines.some((line) => line.includes('\n'))) throw invalidCheckpoint('one of its lines is two')
  const text = lines.map((line) => `${line}\n`).join('')
  checkText(text)
  return text
}

/**
 * The bytes of a note that holds this checkpoint, signed by all signers in their order. A log may call it for a
 * checkpoint only if every one that it has signed before is consistent with it: that is for the caller to know.
 * Throws `AUDIT_CHECKPOINT_INVALID`, and a `RangeError` where no signer has the origin as its name.
 */
export async function signCheckpoint(
  checkpoint: Checkpoint,
  signers: readonly NoteSigner[],
  options?: AbortOptions,
): Promise<Bytes> {
  const text = formatCheckpoint(checkpoint)
  if (!signers.some(({ key }) => key.name === checkpoint.origin)) {
    throw new RangeError(`No signer has the name of the log, ${JSON.stringify(checkpoint.origin)}.`)
  }
  const signatures = await Promise.all(signers.map((signer) => signer.sign(text, options)))
  return encodeNote({ text, signatures })
}

/**
 * The checkpoint of a note, if the log signed it: its origin is the expected one, and a key of that name is among
 * those that signed. `keys` may hold further keys, whose signatures are then reported too. Throws `AUDIT_NOTE_INVALID`
 * (malformed, or a signature of one of the keys is not good), `AUDIT_CHECKPOINT_INVALID` or `AUDIT_CHECKPOINT_UNTRUSTED`.
 */
export function openCheckpoint(
  noteBytes: Uint8Array,
  { origin, keys }: { readonly origin: string; readonly keys: readonly LogKey[] },
): OpenCheckpoint {
  const note = parseNote(noteBytes)
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint.origin !== origin) {
    throw untrustedCheckpoint(`its origin is ${JSON.stringify(checkpoint.origin.slice(0, 200))}, not ${origin}`)
  }
  const known = verifyNote(note, keys) as readonly LogKey[]
  const signedBy = known.filter(({ maxSize = Number.MAX_SAFE_INTEGER }) => checkpoint.size <= maxSize)
  if (!signedBy.some(({ name }) => name === origin)) {
    const why = signedBy.length < known.length ? ', but one whose word ended at a smaller size' : ''
    throw untrustedCheckpoint(`none of the expected keys of ${origin} signed it${why}`)
  }
  return { checkpoint, note, signedBy }
}

function checkText(text: string): void {
  try {
    checkNoteText(text)
  } catch {
    throw invalidCheckpoint('no note can have its text')
  }
}

type Unchecked = Omit<Checkpoint, 'root'> & { readonly root: Bytes | undefined }

function checkShape(checkpoint: Unchecked): asserts checkpoint is Checkpoint {
  const { origin, size, root, extensions } = checkpoint
  if (origin === '') throw invalidCheckpoint('its origin is empty')
  if (!Number.isSafeInteger(size) || size < 0) {
    throw invalidCheckpoint('its size is not a decimal number from 0 to 2^53 - 1 without leading zeros')
  }
  if (root?.length !== ROOT_LENGTH) throw invalidCheckpoint(`its root is not ${ROOT_LENGTH} bytes in strict base64`)
  if (extensions.includes('')) throw invalidCheckpoint('one of its lines is empty')
}
