import type { KeyId } from '@vault/core'
import { concatBytes, hashBytes, keyId, publicKeyOf, toHex, utf8 } from '@vault/core'
import { fromBase64, toBase64 } from './base64.ts'
import { invalidKey } from './error.ts'
import { isKeyName } from './note.ts'

/** An Ed25519 key under the name with which it signs notes. */
export interface NoteKey {
  /** Not empty, without Unicode spaces and `+`; that of a log is its origin. */
  readonly name: string
  readonly key: KeyId
}

/** What a key signs, the type byte of C2SP signed-note: the text of notes, or cosignatures of checkpoints. */
export type SignatureType = 0x01 | 0x04

const PUBLIC_KEY_LENGTH = 32
/** Characters. A name is the address of a log or witness, not a document. */
const MAX_VKEY_LENGTH = 4096

/** The 32-bit id of a key for signatures of this type, from which its signature lines are recognised. */
export function noteKeyIdOf({ name, key }: NoteKey, type: SignatureType): number {
  const hash = hashBytes('sha2-256', concatBytes(utf8(`${name}\n`), Uint8Array.of(type), publicKeyOf(key)))
  return new DataView(hash.buffer, hash.byteOffset).getUint32(0)
}

/** The key of a vkey, `<name>+<id in hexadecimal>+<base64 of type and key>`, of this type. Throws `AUDIT_KEY_INVALID`. */
export function parseVkeyOf(text: string, type: SignatureType): NoteKey {
  if (text.length > MAX_VKEY_LENGTH) throw invalidKey(`it has more than ${MAX_VKEY_LENGTH} characters`)
  const parts = /^(?<name>[^+]+)\+(?<id>[0-9a-f]{8})\+(?<material>[A-Za-z0-9+/=]+)$/u.exec(text)?.groups
  if (parts === undefined) throw invalidKey('it is not "<name>+<8 hexadecimal digits>+<base64>"')
  const { name, id, material } = parts as Record<'name' | 'id' | 'material', string>
  if (!isKeyName(name)) throw invalidKey('no key may have its name')
  const bytes = fromBase64(material)
  if (bytes === undefined) throw invalidKey('its third part is not strict base64')
  if (bytes[0] !== type || bytes.length !== 1 + PUBLIC_KEY_LENGTH) {
    throw invalidKey(`it is not an Ed25519 key of type ${type}`)
  }
  const key: NoteKey = { name, key: keyId(bytes.subarray(1)) }
  if (hexId(key, type) !== id) throw invalidKey(`its id is ${id}, but its name and key give ${hexId(key, type)}`)
  return key
}

/** The vkey of a key. Throws `AUDIT_KEY_INVALID` for a name that no key may have. */
export function formatVkeyOf(key: NoteKey, type: SignatureType): string {
  checkKeyName(key.name)
  const material = concatBytes(Uint8Array.of(type), publicKeyOf(key.key))
  return `${key.name}+${hexId(key, type)}+${toBase64(material)}`
}

/** Throws `AUDIT_KEY_INVALID` unless a key may have this name. */
export function checkKeyName(name: string): void {
  if (!isKeyName(name))
    throw invalidKey(`${JSON.stringify(name.slice(0, 80))} is empty, or has spaces, "+" or controls`)
}

function hexId(key: NoteKey, type: SignatureType): string {
  const id = new Uint8Array(4)
  new DataView(id.buffer).setUint32(0, noteKeyIdOf(key, type))
  return toHex(id)
}
