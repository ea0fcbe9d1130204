import type { Bytes } from '@vault/core'
import { concatBytes, copyBytes, fromUtf8, utf8 } from '@vault/core'
import { fromBase64, toBase64 } from './base64.ts'
import { invalidNote } from './error.ts'

/** Text signed by one or more keys (C2SP signed-note). Nothing in it is to be trusted before its signatures are verified. */
export interface Note {
  /** Ends with a line feed; has no other control characters below U+0020. */
  readonly text: string
  /** 1 to {@link MAX_NOTE_SIGNATURES}, in the order of the note. */
  readonly signatures: readonly NoteSignature[]
}

/** One signature line of a note. */
export interface NoteSignature {
  /** Name of the key: not empty, without Unicode spaces and `+`. */
  readonly name: string
  /** The first 4 bytes of the signature field, as an unsigned number: a hint, anybody can make keys of the same id. */
  readonly keyId: number
  /** What follows the key id: at least one byte, 64 for an Ed25519 signature. */
  readonly signature: Bytes
}

/** Bytes of the longest note, more than 100 signatures of any algorithm in use. */
export const MAX_NOTE_LENGTH = 1_000_000
/** The specification asks for at least 16. */
export const MAX_NOTE_SIGNATURES = 100

const KEY_ID_LENGTH = 4
const LINE_START = '\u2014 '

/** A note from bytes of any origin. Throws `AUDIT_NOTE_INVALID`, and nothing else. Verifies no signature. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > MAX_NOTE_LENGTH) throw invalidNote(`it has more than ${MAX_NOTE_LENGTH} bytes`)
  const content = decodeText(bytes)
  const end = content.lastIndexOf('\n\n')
  if (end < 0) throw invalidNote('no blank line ends its text')
  const text = content.slice(0, end + 1)
  checkNoteText(text)
  return { text, signatures: parseSignatureLines(content.slice(end + 2)) }
}

/** The bytes of a note. Throws `AUDIT_NOTE_INVALID` for one that {@link parseNote} would refuse. */
export function encodeNote(note: Note): Bytes {
  checkNoteText(note.text)
  const bytes = utf8(`${note.text}\n${formatSignatureLines(note.signatures)}`)
  if (bytes.length > MAX_NOTE_LENGTH) throw invalidNote(`it has more than ${MAX_NOTE_LENGTH} bytes`)
  return bytes
}

/**
 * Signature lines alone, as witnesses return them. Throws `AUDIT_NOTE_INVALID` where there are none, too many, or one is
 * malformed.
 */
export function parseSignatureLines(lines: string): readonly NoteSignature[] {
  if (lines.length > MAX_NOTE_LENGTH) throw invalidNote(`its signatures have more than ${MAX_NOTE_LENGTH} characters`)
  if (!lines.endsWith('\n')) throw invalidNote('no line feed ends its last signature')
  const split = lines.slice(0, -1).split('\n', MAX_NOTE_SIGNATURES + 1)
  if (split.length > MAX_NOTE_SIGNATURES) throw invalidNote(`it has more than ${MAX_NOTE_SIGNATURES} signatures`)
  return split.map(parseSignatureLine)
}

/** Signatures as lines, each ended by a line feed. Throws `AUDIT_NOTE_INVALID` for what no note can hold. */
export function formatSignatureLines(signatures: readonly NoteSignature[]): string {
  if (signatures.length === 0 || signatures.length > MAX_NOTE_SIGNATURES) {
    throw invalidNote(`it has ${signatures.length} signatures, not 1 to ${MAX_NOTE_SIGNATURES}`)
  }
  return signatures.map(formatSignatureLine).join('')
}

/** Throws `AUDIT_NOTE_INVALID` unless a note can have this text. */
export function checkNoteText(text: string): void {
  if (!text.endsWith('\n')) throw invalidNote('no line feed ends its text')
  if (!text.isWellFormed()) throw invalidNote('its text is not well-formed Unicode')
  if (hasControls(text)) throw invalidNote('its text has control characters other than line feeds')
}

/** Whether a key may have this name. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name) && !hasControls(name)
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x20 && unit !== 0x0a) return true
  }
  return false
}

function decodeText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch (cause) {
    throw invalidNote('it is not UTF-8', cause)
  }
}

function parseSignatureLine(line: string): NoteSignature {
  const [name, base64, ...more] = line.slice(LINE_START.length).split(' ', 3)
  if (!line.startsWith(LINE_START) || name === undefined || base64 === undefined || more.length > 0) {
    throw invalidNote('a signature line is not a dash, a name and a signature')
  }
  if (!isKeyName(name)) throw invalidNote('a signature has a name that no key may have')
  const field = fromBase64(base64)
  if (field === undefined || field.length <= KEY_ID_LENGTH) {
    throw invalidNote('a signature is not strict base64 of more than 4 bytes')
  }
  return {
    name,
    keyId: new DataView(field.buffer).getUint32(0),
    signature: copyBytes(field.subarray(KEY_ID_LENGTH)),
  }
}

function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name)) throw invalidNote('a signature has a name that no key may have')
  if (!Number.isInteger(keyId) || keyId < 0 || keyId > 0xffff_ffff) throw invalidNote('a key id is not 32 bits')
  if (signature.length === 0) throw invalidNote('a signature is empty')
  const id = new Uint8Array(KEY_ID_LENGTH)
  new DataView(id.buffer).setUint32(0, keyId)
  return `${LINE_START}${name} ${toBase64(concatBytes(id, signature))}\n`
}
