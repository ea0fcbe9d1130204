import type { AgeIdentities } from './age-identities.ts'
import { type KeyShare, parseKeyShare, shareDigest, shareError, splitId } from './key-share.ts'

/** A share from its file, which came from anyone, decrypted where it is encrypted for one of these. Throws `KEY_SHARE_DAMAGED`, `KEY_SHARE_SEALED`. */
export async function readKeyShare(text: string, file: string, identities?: AgeIdentities): Promise<KeyShare> {
  return parseKeyShare((await identities?.decrypt(text)) ?? text, file)
}

/** Throws `KEY_SHARE_WRONG`: the id of the splitting binds the digests of all shares, so one that was made up has another id, or another digest. */
export function checkGenuine(share: KeyShare, file: string): void {
  const { index } = share
  if (splitId(share) === share.split && shareDigest(share.share) === share.digests[index - 1]) return
  throw shareError(
    'KEY_SHARE_WRONG',
    file,
    `is not the share ${index} that was made: ask its holder for the genuine one`,
    {
      index,
    },
  )
}
