import { join } from 'node:path'
import { equalBytes, hashBytes, type KeyId, link, VaultError } from '@vault/core'
import { type Ceremony, type KeySplit, nameIn, type ReceivedShare, receiptProof } from '@vault/spki-caps/ceremony'
import type { AgeIdentities } from '../age-identities.ts'
import { createFolder, writeDurably } from '../durable-file.ts'
import { type KeyShare, shareError } from '../key-share.ts'
import { checkGenuine, readKeyShare } from '../read-key-share.ts'
import { readSmallFile } from '../read-small-file.ts'
import { type SplitKeyErrorCode, shareFileName } from '../split-key.ts'
import { systemError } from '../system-error.ts'

/** The `code` of the errors about shares in a ceremony. */
export type CeremonyShareErrorCode =
  /** A share waits, and it was not said what decrypts it and where it is kept. `details.of`. */
  'CEREMONY_SHARE_WAITS'

/** What it takes to keep shares. */
export interface KeepOptions {
  readonly holder: KeyId
  readonly identities?: AgeIdentities
  readonly shareDir?: string
}

/**
 * Keeps the shares of these keys that are the holder's, encrypted as they came, and gives what a receipt says of them: each was read back
 * from where it is kept, decrypted, and found to be the share that the plan and the contribution describe.
 */
export async function keepShares(
  ceremony: Ceremony,
  splits: readonly KeySplit[],
  options: KeepOptions,
): Promise<readonly ReceivedShare[]> {
  const received: ReceivedShare[] = []
  for (const split of splits) received.push(await keepShare(ceremony, split, options))
  return received
}

async function keepShare(
  { id, plan, contributions }: Ceremony,
  split: KeySplit,
  { holder, identities, shareDir }: KeepOptions,
): Promise<ReceivedShare> {
  if (identities === undefined || shareDir === undefined) throw waits(split.key)
  const contribution = contributions.get(split.key)
  const index = split.holders.findIndex(({ key }) => key === holder)
  const sealed = contribution?.record.shares?.sealed[index]
  const digest = contribution?.record.shares?.digests[index]
  if (contribution === undefined || sealed === undefined || digest === undefined) throw waits(split.key)
  const said = `${nameIn(plan, split.key)}'s contribution`
  const check = (share: KeyShare, where: string) => {
    checkGenuine(share, where)
    const { key, threshold, shares } = share
    const isPlanned = key === split.key && threshold === split.threshold && shares === split.holders.length
    if (isPlanned && share.index === index + 1 && equalBytes(hashBytes('sha2-256', share.share), digest)) return share
    throw shareError('KEY_SHARE_FOREIGN', where, 'is not the share that the plan and the contribution describe', {
      index: share.index,
    })
  }
  const text = Buffer.from(sealed).toString('utf8')
  const share = check(await readKeyShare(text, said, identities), said)
  const file = join(shareDir, shareFileName(nameIn(plan, split.key), share, true))
  try {
    await createFolder(shareDir, 0o700)
    await writeDurably(file, text)
  } catch (error) {
    throw systemError<SplitKeyErrorCode>('KEY_SHARE_UNWRITABLE', shareDir, error)
  }
  const kept = check(await readKeyShare(await readSmallFile(file), file, identities), file)
  return { of: split.key, contribution: link(contribution.id), proof: receiptProof(id, holder, kept.share) }
}

function waits(of: KeyId): VaultError<CeremonyShareErrorCode> {
  return new VaultError({
    code: 'CEREMONY_SHARE_WAITS',
    message: `A share of the key ${of} waits for this key: name the file of the identity of age that decrypts it, and the folder in which it is to be kept.`,
    details: { of },
  })
}
