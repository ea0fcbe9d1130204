import { concatBytes, fromUtf8, VaultError } from '@vault/core'
import { loadAge } from './age.ts'
import { RECORD_LENGTH } from './key-file.ts'
import type { SourceFileErrorCode } from './source-file.ts'

/** Longer than any key file: an RSA key of 16,384 bits has 12 KiB. */
const MAX_LENGTH = 64 * 1024

const PEM = /^-----BEGIN ((?:[A-Z0-9]+ )*PRIVATE KEY)-----\r?$/m
const RECORD = /^\s*\{\s*"type"\s*:\s*"ed25519"\s*,[^}]*"secret"\s*:/
const SHARE = /^\s*\{\s*"type"\s*:\s*"vault-key-share"\s*,/
const AGE_IDENTITY = /^AGE-SECRET-KEY-(?:PQ-)?1[A-Z0-9]{40,}\s*$/m

/** What kind of private key the content of a file is; `undefined` for any other content. */
export async function secretIn(bytes: Uint8Array): Promise<string | undefined> {
  if (bytes.length > MAX_LENGTH) return undefined
  let text: string
  try {
    text = fromUtf8(bytes)
  } catch {
    return undefined
  }
  if (isPem(text)) return 'a private key in PEM'
  if (RECORD.test(text)) return 'a key file of a vault or keystore'
  if (SHARE.test(text)) return 'a share of a key'
  if (AGE_IDENTITY.test(text)) return 'an identity of age'
  return (await isSealedKey(text)) ? 'a key file under a passphrase' : undefined
}

/** Throws `FILE_SECRET` for the content of a file that is a private key. */
export async function refuseSecret(path: string, bytes: Uint8Array): Promise<void> {
  const kind = await secretIn(bytes)
  if (kind === undefined) return
  throw new VaultError<SourceFileErrorCode>({
    code: 'FILE_SECRET',
    message: `${path} is ${kind}, which whoever reads the vault could take. Leave it out; or say that it is meant, with --allow-secrets.`,
    details: { path, kind },
  })
}

/** A whole block with a key in it: a text that only speaks of keys has none. */
function isPem(text: string): boolean {
  const begin = PEM.exec(text)
  if (begin === null) return false
  const start = begin.index + begin[0].length
  const end = text.indexOf(`-----END ${begin[1]}-----`, start)
  const lines = text.slice(start, Math.max(start, end)).split('\n')
  const base64 = lines
    .filter((line) => !line.includes(': '))
    .join('')
    .replaceAll(/\s/g, '')
  return base64.length >= 40 && /^[A-Za-z0-9+/=]+$/.test(base64)
}

/** The pieces of a file as they come; throws `FILE_SECRET` behind the last one where all of them are a private key. */
export async function* secretsWatched(path: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const seen: Uint8Array[] = []
  let length = 0
  for await (const piece of pieces) {
    length += piece.length
    if (length <= MAX_LENGTH) seen.push(piece.slice())
    yield piece
  }
  if (length <= MAX_LENGTH) await refuseSecret(path, concatBytes(...seen))
}

const HEADER = /^age-encryption\.org\/v1\n-> scrypt [^\n]+\n[^\n]+\n--- [^\n]+\n/
/** What age adds to a content of less than 64 KiB: a nonce and a tag. */
const AGE_OVERHEAD = 32

/**
 * Whether an armoured age file under a passphrase has the length of a key record, which is always the same. What else is sealed is
 * content like any other.
 */
async function isSealedKey(text: string): Promise<boolean> {
  if (!text.trimStart().startsWith('-----BEGIN AGE ENCRYPTED FILE-----')) return false
  const { armor } = await loadAge()
  let bytes: Uint8Array
  try {
    bytes = armor.decode(text)
  } catch {
    return false
  }
  const header = HEADER.exec(Buffer.from(bytes).toString('latin1'))
  return header !== null && bytes.length - header[0].length === RECORD_LENGTH + AGE_OVERHEAD
}
