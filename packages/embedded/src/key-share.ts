import { encode, hashBytes, type KeyId, parseKeyId, toHex, VaultError } from '@vault/core'

/** The `code` of the errors about the shares of a key; each but the last names the file in `details.file`. */
export type KeyShareErrorCode =
  /** Not what was written: no share, or not whole, or changed. */
  | 'KEY_SHARE_DAMAGED'
  /** Encrypted for its holder, who decrypts it with `age -d`. */
  | 'KEY_SHARE_SEALED'
  /** Of another key, or of another splitting of the same key. `details.split`, `details.expected`. */
  | 'KEY_SHARE_FOREIGN'
  /** Given twice. `details.index`. */
  | 'KEY_SHARE_DUPLICATE'
  /** Whole, and not the one that was made: somebody made it up. `details.index` */
  | 'KEY_SHARE_WRONG'
  /** Fewer than it takes. `details.needed`, `details.given`. */
  | 'KEY_SHARE_TOO_FEW'

/** One share of a secret key, which says by itself what it is: formats/key-share.md. */
export interface KeyShare {
  readonly key: KeyId
  /** 32 hexadecimal digits: the beginning of the SHA-256 of what all shares of one splitting have in common. */
  readonly split: string
  /** So many of `shares` give the key back. */
  readonly threshold: number
  readonly shares: number
  /** 1 to `shares`. */
  readonly index: number
  /** The SHA-256 of each share, in their order: whoever holds one can tell whether another is genuine. */
  readonly digests: readonly string[]
  readonly share: Uint8Array
}

const SHARE_LENGTH = 33
/** As many as a role of a vault can have keys. */
export const MAX_SHARES = 64

/** What all shares of one splitting say. */
export type Splitting = Pick<KeyShare, 'key' | 'threshold' | 'shares' | 'digests'>

export function splitId({ key, threshold, shares, digests }: Splitting): string {
  return sha256(encode({ key, threshold, shares, digests })).slice(0, 32)
}

export function shareDigest(share: Uint8Array): string {
  return sha256(share)
}

/** The file of a share. */
export function encodeKeyShare(share: KeyShare): string {
  const content = contentOf(share)
  return `${JSON.stringify({ ...content, checksum: sha256(encode(content)) }, null, 2)}\n`
}

/** A share from its file, which came from anyone. Throws `KEY_SHARE_DAMAGED`, `KEY_SHARE_SEALED`. Says nothing about other shares. */
export function parseKeyShare(text: string, file: string): KeyShare {
  if (text.startsWith('-----BEGIN AGE')) {
    throw shareError(
      'KEY_SHARE_SEALED',
      file,
      'is encrypted for its holder: give the file of his identity of age too, or what "age -d -i IDENTITY" makes of it',
    )
  }
  const value = jsonOf(text)
  const reason = faultOf(value)
  if (reason !== undefined) throw shareError('KEY_SHARE_DAMAGED', file, `is no sound share of a key: ${reason}`)
  const { key, split, threshold, shares, index, digests, share } = value as Readonly<Record<string, unknown>> & Written
  return { key, split, threshold, shares, index, digests, share: Buffer.from(share, 'base64url') }
}

export function shareError(
  code: KeyShareErrorCode,
  file: string,
  what: string,
  details: Readonly<Record<string, unknown>> = {},
): VaultError<KeyShareErrorCode> {
  return new VaultError({ code, message: `The file ${file} ${what}.`, details: { file, ...details } })
}

type Written = Omit<KeyShare, 'share'> & { readonly share: string; readonly checksum: string }

const FIELDS = ['type', 'v', 'key', 'split', 'threshold', 'shares', 'index', 'digests', 'share', 'checksum'] as const

/** In the order in which the file has it, which is of no account. */
function contentOf({ key, split, threshold, shares, index, digests, share }: KeyShare): Omit<Written, 'checksum'> {
  const head = { type: 'vault-key-share', v: 1 }
  return { ...head, key, split, threshold, shares, index, digests, share: Buffer.from(share).toString('base64url') }
}

function faultOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'it is not a JSON object'
  const record = value as Readonly<Record<string, unknown>>
  if (record.type !== 'vault-key-share' || record.v !== 1) return 'it is none of version 1'
  if (Object.keys(record).length !== FIELDS.length || FIELDS.some((field) => !(field in record)))
    return 'its members are not those of a share'
  const { checksum, ...content } = record
  const { key, split, threshold, shares, index, digests, share } = record
  if (!isCount(shares, 2, MAX_SHARES)) return '"shares" is not 2 to 64'
  if (!isCount(threshold, 2, shares)) return '"threshold" is not 2 to their number'
  if (!isCount(index, 1, shares)) return '"index" is not 1 to their number'
  if (!isHex(split, 32) || !isHex(checksum, 64)) return 'its ids are not hexadecimal'
  if (!Array.isArray(digests) || digests.length !== shares || !digests.every((digest) => isHex(digest, 64)))
    return '"digests" are not one for each share'
  if (typeof share !== 'string' || !isShare(share)) return `"share" is not ${SHARE_LENGTH} bytes`
  if (!isKey(key)) return '"key" is none'
  return sha256(encode(content)) === checksum ? undefined : 'its checksum is not that of its content, so it was changed'
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isCount(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most
}

function isHex(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]*$/.test(value)
}

function isShare(text: string): boolean {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.length === SHARE_LENGTH && bytes.toString('base64url') === text
}

function isKey(value: unknown): boolean {
  try {
    parseKeyId(value)
    return true
  } catch {
    return false
  }
}

function sha256(bytes: Uint8Array): string {
  return toHex(hashBytes('sha2-256', bytes))
}
