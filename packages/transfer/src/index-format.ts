import type { Bytes, Prefix, Subtree } from '@vault/core'
import { concatBytes, equalBytes, KEY_LENGTH, utf8, VaultError } from '@vault/core'
import { BRANCH_ABOVE, type Branch } from '@vault/merkle'
import type { ByteReader } from './byte-reader.ts'
import type { VaultTable } from './difference.ts'
import type { TransferErrorCode } from './error.ts'

/** The trees of a vault, as wholes. */
export type WholeTrees = Readonly<Record<VaultTable, Subtree>>

const MAGIC = utf8('vault-indexes/1\n')
const SUBTREE_LENGTH = KEY_LENGTH + 8
const DIGITS = 16
const MAX_DEPTH = KEY_LENGTH * 2

/** The beginning of index data. */
export function encodeIndexHeader({ objects, entries }: WholeTrees): Bytes {
  return concatBytes(MAGIC, encodeSubtree(objects), encodeSubtree(entries))
}

/** One branch; where it hangs follows from those before it. */
export function encodeBranch({ children }: Branch): Bytes {
  return concatBytes(...children.map(encodeSubtree))
}

/** The trees that index data are about. Throws `TRANSFER_INDEX_INVALID`. */
export async function readIndexHeader(reader: ByteReader): Promise<WholeTrees> {
  const { offset } = reader
  const magic = await reader.take(MAGIC.length)
  if (magic === undefined || !equalBytes(magic, MAGIC)) throw invalidIndex('they do not begin as index data do', offset)
  return { objects: await readSubtree(reader), entries: await readSubtree(reader) }
}

/** The branches of a tree as they come. Throws `TRANSFER_INDEX_INVALID`. Memory is bounded by the depth of a key. */
export async function* readIndexBranches(reader: ByteReader, whole: Subtree): AsyncGenerator<Branch> {
  const waiting: Prefix[] = whole.count > BRANCH_ABOVE ? [''] : []
  for (let prefix = waiting.pop(); prefix !== undefined; prefix = waiting.pop()) {
    if (prefix.length === MAX_DEPTH)
      throw invalidIndex(`they have ${BRANCH_ABOVE} keys that are the same`, reader.offset)
    const children: Subtree[] = []
    for (let digit = 0; digit < DIGITS; digit++) children.push(await readSubtree(reader))
    yield { prefix, children }
    for (let digit = DIGITS - 1; digit >= 0; digit--) {
      if ((children[digit] as Subtree).count > BRANCH_ABOVE) waiting.push(prefix + digit.toString(16))
    }
  }
}

/** Throws `TRANSFER_INDEX_INVALID` where something follows. */
export async function requireIndexEnd(reader: ByteReader): Promise<void> {
  if (!(await reader.isAtEnd())) throw invalidIndex('something follows them', reader.offset)
}

async function readSubtree(reader: ByteReader): Promise<Subtree> {
  const { offset } = reader
  const bytes = await reader.take(SUBTREE_LENGTH)
  if (bytes === undefined) throw invalidIndex('they end in the middle', offset)
  const count = Number(new DataView(bytes.buffer).getBigUint64(KEY_LENGTH))
  if (!Number.isSafeInteger(count)) throw invalidIndex('a subtree has more than 2^53 - 1 keys', offset)
  return { hash: bytes.slice(0, KEY_LENGTH), count }
}

function encodeSubtree({ hash, count }: Subtree): Bytes {
  const bytes = new Uint8Array(SUBTREE_LENGTH)
  bytes.set(hash)
  new DataView(bytes.buffer).setBigUint64(KEY_LENGTH, BigInt(count))
  return bytes
}

function invalidIndex(why: string, offset: number): VaultError {
  return new VaultError<TransferErrorCode>({
    code: 'TRANSFER_INDEX_INVALID',
    message: `The index data are refused at byte ${offset}: ${why}. Nothing relies on them; export them again, or do without.`,
    details: { offset },
  })
}
