import type { AbortOptions, Signer } from '@vault/core'
import { copyBytes, utf8, verifyStrict } from '@vault/core'
import { COSIGNATURE_HEADER } from './cosigned-message.ts'
import { invalidNote } from './error.ts'
import type { Note, NoteSignature } from './note.ts'
import { checkNoteText } from './note.ts'
import type { NoteKey } from './vkey.ts'
import { checkKeyName, formatVkeyOf, noteKeyIdOf, parseVkeyOf } from './vkey.ts'

export type { NoteKey } from './vkey.ts'

const TYPE = 0x01

/** Signs notes under a name. */
export interface NoteSigner {
  readonly key: NoteKey
  /**
   * Signs a text. Throws `AUDIT_NOTE_INVALID` for a text that no note can have or that is a cosigned message, and for a
   * signer whose signature is not good.
   */
  sign(text: string, options?: AbortOptions): Promise<NoteSignature>
}

/** The key of a vkey for notes (type 0x01). Throws `AUDIT_KEY_INVALID`, and nothing else. */
export function parseVkey(text: string): NoteKey {
  return parseVkeyOf(text, TYPE)
}

/** The vkey of a key for notes: one text per key. Throws `AUDIT_KEY_INVALID` for a name that no key may have. */
export function formatVkey(key: NoteKey): string {
  return formatVkeyOf(key, TYPE)
}

/** The 32-bit id of a key for notes. */
export function noteKeyId(key: NoteKey): number {
  return noteKeyIdOf(key, TYPE)
}

/** A signer of notes. Throws `AUDIT_KEY_INVALID` for a name that no key may have. */
export function createNoteSigner({ name, signer }: { readonly name: string; readonly signer: Signer }): NoteSigner {
  checkKeyName(name)
  const key: NoteKey = { name, key: signer.key }
  return {
    key,
    async sign(text, options) {
      checkNoteText(text)
      // The same key may cosign: such a text, signed as a note, would pass as a cosignature.
      if (text.startsWith(COSIGNATURE_HEADER)) throw invalidNote('its text is a cosigned message')
      const message = utf8(text)
      const signature = await signer.sign(message, options)
      if (!verifyStrict(key.key, message, signature)) throw invalidNote('the signer gave a signature that is not good')
      return { name, keyId: noteKeyId(key), signature: copyBytes(signature) }
    },
  }
}

/**
 * The distinct keys, in the order of `keys`, that have signed this note; empty where none has, and then the note says
 * nothing. Signatures by other keys are ignored. Throws `AUDIT_NOTE_INVALID` where a signature has name and id of
 * one of the keys and is not good.
 */
export function verifyNote(note: Note, keys: readonly NoteKey[]): readonly NoteKey[] {
  const message = utf8(note.text)
  const known = keys.map((key) => ({ key, id: noteKeyId(key) }))
  const signed = new Set<string>()
  for (const { name, keyId, signature } of note.signatures) {
    // Two keys of one name may share an id; the signature has to be that of one of them.
    const named = known.filter(({ key, id }) => key.name === name && id === keyId)
    const good = named.filter(({ key }) => verifyStrict(key.key, message, signature))
    if (named.length > 0 && good.length === 0) throw invalidNote(`the signature of ${name} is not good`)
    for (const { key } of good) signed.add(identityOf(key))
  }
  return keys.filter((key) => signed.delete(identityOf(key)))
}

function identityOf({ name, key }: NoteKey): string {
  return `${key} ${name}`
}
