import type { AbortOptions, Clock, Signer } from '@vault/core'
import { concatBytes, verifyStrict } from '@vault/core'
import { parseCheckpoint } from './checkpoint.ts'
import { cosignedMessage } from './cosigned-message.ts'
import { invalidNote } from './error.ts'
import type { Note, NoteSignature } from './note.ts'
import type { NoteKey } from './vkey.ts'
import { checkKeyName, formatVkeyOf, noteKeyIdOf, parseVkeyOf } from './vkey.ts'

const TYPE = 0x04
const TIME_LENGTH = 8
const SIGNATURE_LENGTH = 64

/** Cosigns checkpoints under a name (C2SP tlog-cosignature, `cosignature/v1`): a witness. */
export interface Cosigner {
  readonly key: NoteKey
  /**
   * States: now, the largest consistent tree that this cosigner has seen of the log is the one of this checkpoint. That
   * it is so is for the caller to know. Throws `AUDIT_CHECKPOINT_INVALID` for a text that is no checkpoint, and
   * `AUDIT_NOTE_INVALID` for a signer whose signature is not good.
   */
  cosign(text: string, options?: AbortOptions): Promise<NoteSignature>
}

/** The key of a vkey for cosignatures (type 0x04). Throws `AUDIT_KEY_INVALID`, and nothing else. */
export function parseCosignerVkey(text: string): NoteKey {
  return parseVkeyOf(text, TYPE)
}

/** The vkey of a key for cosignatures: one text per key. Throws `AUDIT_KEY_INVALID` for a name that no key may have. */
export function formatCosignerVkey(key: NoteKey): string {
  return formatVkeyOf(key, TYPE)
}

/** The 32-bit id of a key for cosignatures. */
export function cosignerKeyId(key: NoteKey): number {
  return noteKeyIdOf(key, TYPE)
}

/**
 * A cosigner. Each needs a key of its own: the cosigned message does not hold the name. Throws `AUDIT_KEY_INVALID` for a
 * name that no key may have.
 */
export function createCosigner(parameters: {
  readonly name: string
  readonly signer: Signer
  readonly clock: Clock
}): Cosigner {
  const { name, signer, clock } = parameters
  checkKeyName(name)
  const key: NoteKey = { name, key: signer.key }
  return {
    key,
    async cosign(text, options) {
      parseCheckpoint(text)
      const time = Math.floor(clock().getTime() / 1000)
      const message = cosignedMessage(text, time)
      const signature = await signer.sign(message, options)
      if (!verifyStrict(key.key, message, signature)) throw invalidNote('the signer gave a signature that is not good')
      return { name, keyId: cosignerKeyId(key), signature: concatBytes(encodeTime(time), signature) }
    },
  }
}

/**
 * When this cosigner last cosigned the checkpoint in a note, in seconds since 1970; `undefined` where it has not. The time is
 * the cosigner's word. Throws `AUDIT_NOTE_INVALID` where a signature has its name and id and is not good,
 * `AUDIT_CHECKPOINT_INVALID` where the note holds no checkpoint.
 */
export function verifyCosignature(note: Note, cosigner: NoteKey): number | undefined {
  parseCheckpoint(note.text)
  const id = cosignerKeyId(cosigner)
  const own = note.signatures.filter(({ name, keyId }) => name === cosigner.name && keyId === id)
  const times = own.map(({ signature }) => verifyOne(note.text, signature, cosigner))
  return times.length === 0 ? undefined : Math.max(...times)
}

function verifyOne(text: string, field: Uint8Array, { name, key }: NoteKey): number {
  if (field.length !== TIME_LENGTH + SIGNATURE_LENGTH) {
    throw invalidNote(`the cosignature of ${name} is not a time and ${SIGNATURE_LENGTH} bytes`)
  }
  const time = new DataView(field.buffer, field.byteOffset).getBigUint64(0)
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidNote(`the cosignature of ${name} has no possible time`)
  const message = cosignedMessage(text, Number(time))
  if (!verifyStrict(key, message, field.subarray(TIME_LENGTH))) {
    throw invalidNote(`the cosignature of ${name} is not good`)
  }
  return Number(time)
}

function encodeTime(time: number): Uint8Array {
  const bytes = new Uint8Array(TIME_LENGTH)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(time))
  return bytes
}
