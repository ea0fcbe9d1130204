import { type Bytes, copyBytes, createSigner, VaultError } from '@vault/core'
import { combine } from 'shamir-secret-sharing'
import type { AgeIdentities } from './age-identities.ts'
import type { OpenKey } from './key-file.ts'
import { type KeyShare, type KeyShareErrorCode, shareError } from './key-share.ts'
import { checkGenuine, readKeyShare } from './read-key-share.ts'
import { readSmallFile } from './read-small-file.ts'

interface Given {
  readonly file: string
  readonly share: KeyShare
}

/**
 * The key of which these files are shares. Every one is checked, by itself and against the others, before they are put together, and
 * what comes out is the key that they name. With `identities`, files are decrypted that are encrypted for these. Throws `KEY_SHARE_DAMAGED`, `KEY_SHARE_SEALED`, `KEY_SHARE_FOREIGN`,
 * `KEY_SHARE_WRONG`, `KEY_SHARE_DUPLICATE`, `KEY_SHARE_TOO_FEW`, `FILE_UNREADABLE`.
 */
export async function recoverKey(
  files: readonly string[],
  { identities }: { readonly identities?: AgeIdentities } = {},
): Promise<OpenKey> {
  const given: Given[] = []
  for (const file of files) given.push({ file, share: await readKeyShare(await readSmallFile(file), file, identities) })
  const [first] = given
  if (first === undefined) throw new RangeError('A key is recovered from at least one file.')
  for (const each of given) checkSplitting(each, first)
  for (const { file, share } of given) checkGenuine(share, file)
  checkDistinct(given)
  const { key, threshold } = first.share
  if (given.length < threshold) throw tooFew(given, threshold)
  const secret = await combined(given)
  const signer = secret && createSigner(secret)
  if (secret !== undefined && signer?.key === key) return { signer, secret }
  // Genuine by the digests, and yet not of this key: whoever split it wrote shares of something else.
  throw shareError('KEY_SHARE_WRONG', first.file, `gives, with the others, another key than ${key}`, {
    index: first.share.index,
  })
}

/** What they give; `undefined` for shares that do not fit together, which the library says in words alone. */
async function combined(given: readonly Given[]): Promise<Bytes | undefined> {
  try {
    return copyBytes(await combine(given.map(({ share }) => copyBytes(share.share))))
  } catch {
    return undefined
  }
}

function checkSplitting({ file, share }: Given, first: Given): void {
  const { split } = share
  const { split: expected, key } = first.share
  if (split === expected) return
  const what = share.key === key ? 'another splitting of the same key' : `the key ${share.key}`
  throw shareError('KEY_SHARE_FOREIGN', file, `is of ${what}, and does not go with ${first.file}`, { split, expected })
}

function checkDistinct(given: readonly Given[]): void {
  const seen = new Map<number, string>()
  for (const { file, share } of given) {
    const { index } = share
    const other = seen.get(index)
    if (other !== undefined)
      throw shareError('KEY_SHARE_DUPLICATE', file, `is the share ${index}, which ${other} is too`, { index })
    seen.set(index, file)
  }
}

function tooFew(given: readonly Given[], needed: number): VaultError<KeyShareErrorCode> {
  return new VaultError({
    code: 'KEY_SHARE_TOO_FEW',
    message: `It takes ${needed} shares to recover this key, and ${given.length} ${given.length === 1 ? 'was' : 'were'} given. Ask another holder.`,
    details: { needed, given: given.length },
  })
}
