import { join } from 'node:path'
import { copyBytes, utf8, VaultError } from '@vault/core'
import { split } from 'shamir-secret-sharing'
import { loadAge } from './age.ts'
import { createFolder, writeDurably } from './durable-file.ts'
import type { OpenKey } from './key-file.ts'
import { encodeKeyShare, type KeyShare, MAX_SHARES, shareDigest, splitId } from './key-share.ts'
import { systemError } from './system-error.ts'

/** The `code` of the errors about splitting a key. */
export type SplitKeyErrorCode =
  /** Not the public key of a holder, as `age-keygen` prints it. `details.recipient`. */
  | 'KEY_RECIPIENT_INVALID'
  /** The system does not let the shares be written. `details.path`, `details.errno`. */
  | 'KEY_SHARE_UNWRITABLE'

/** A share that was written. */
export interface WrittenShare {
  readonly index: number
  readonly file: string
  /** For whom it is encrypted. */
  readonly recipient?: string
}

/**
 * Splits a secret key into shares of which `threshold` give it back and fewer give nothing (Shamir over GF(2^8)), each in a file of
 * its own in `dir`. With `recipients`, as many as there are shares, each is an armoured age file for its holder. The name of a file
 * says the splitting, so none is overwritten. Durable when it resolves. Throws `KEY_RECIPIENT_INVALID` and `KEY_SHARE_UNWRITABLE`, and a
 * `RangeError` for numbers that cannot be.
 */
export async function splitKey(
  { secret, signer }: OpenKey,
  options: {
    readonly name: string
    readonly shares: number
    readonly threshold: number
    readonly dir: string
    readonly recipients?: readonly string[]
  },
): Promise<{ readonly split: string; readonly files: readonly WrittenShare[] }> {
  const { name, shares, threshold, dir, recipients } = options
  checkNumbers(shares, threshold, recipients)
  const seals = recipients === undefined ? undefined : await Promise.all(recipients.map(sealFor))
  const made = await makeShares({ secret, signer }, { shares, threshold })
  const files: WrittenShare[] = []
  try {
    await createFolder(dir, 0o700)
    for (const [i, share] of made.entries()) {
      const seal = seals?.[i]
      const file = join(dir, shareFileName(name, share, seal !== undefined))
      await writeDurably(file, await (seal ?? asItIs)(encodeKeyShare(share)))
      const recipient = recipients?.[i]
      files.push({ index: i + 1, file, ...(recipient === undefined ? {} : { recipient }) })
    }
  } catch (error) {
    throw systemError<SplitKeyErrorCode>('KEY_SHARE_UNWRITABLE', dir, error)
  }
  return { split: (made[0] as KeyShare).split, files }
}

/** The shares of a secret key, in memory. Throws a `RangeError` for numbers that cannot be. */
export async function makeShares(
  { secret, signer }: OpenKey,
  { shares, threshold }: { readonly shares: number; readonly threshold: number },
): Promise<readonly KeyShare[]> {
  checkNumbers(shares, threshold)
  // The library draws its own randomness, from the platform. It takes plain arrays alone.
  const parts = await split(copyBytes(secret), shares, threshold)
  const digests = parts.map(shareDigest)
  const splitting = { key: signer.key, threshold, shares, digests }
  const id = splitId(splitting)
  return parts.map((share, i) => ({ ...splitting, split: id, index: i + 1, share }))
}

/** How the file of a share is called: by its splitting, so none takes the place of another. */
export function shareFileName(name: string, { split: id, index, shares }: KeyShare, isSealed: boolean): string {
  return `${name}-${id.slice(0, 8)}-${index}-of-${shares}.${isSealed ? 'share.age' : 'share'}`
}

async function asItIs(text: string): Promise<string> {
  return text
}

function checkNumbers(shares: number, threshold: number, recipients?: readonly string[]): void {
  if (!Number.isInteger(shares) || shares < 2 || shares > MAX_SHARES)
    throw new RangeError(`A key is split into 2 to ${MAX_SHARES} shares, not ${shares}.`)
  if (!Number.isInteger(threshold) || threshold < 2 || threshold > shares)
    throw new RangeError(`The threshold of ${shares} shares is 2 to ${shares}, not ${threshold}.`)
  if (recipients !== undefined && recipients.length !== shares)
    throw new RangeError(`There are ${shares} shares, and ${recipients.length} recipients.`)
  if (recipients !== undefined && new Set(recipients).size !== shares)
    throw new RangeError('A recipient is named twice, and would hold two shares.')
}

/** Encrypts texts for one recipient of age. Throws `KEY_RECIPIENT_INVALID`. */
export async function sealFor(recipient: string): Promise<(text: string) => Promise<string>> {
  const { armor, Encrypter } = await loadAge()
  const encrypter = new Encrypter()
  try {
    encrypter.addRecipient(recipient)
  } catch (cause) {
    throw new VaultError<SplitKeyErrorCode>({
      code: 'KEY_RECIPIENT_INVALID',
      message: `${JSON.stringify(recipient.slice(0, 100))} is no recipient of age: it begins with age1, as "age-keygen" prints it.`,
      details: { recipient: recipient.slice(0, 100) },
      cause,
    })
  }
  return async (text) => armor.encode(await encrypter.encrypt(utf8(text)))
}
