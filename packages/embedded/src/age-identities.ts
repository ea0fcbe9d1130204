import { isVaultError, VaultError } from '@vault/core'
import { loadAge } from './age.ts'
import { readSmallFile } from './read-small-file.ts'

/** The `code` of the errors about identities of age. */
export type AgeIdentityErrorCode =
  /** A file that has no identity of age, as `age-keygen` writes it. `details.file`. */
  'KEY_AGE_IDENTITY_INVALID'

/** Decrypts what was encrypted for somebody. */
export interface AgeIdentities {
  /** The text of an armoured age file; `undefined` where it is none, or for somebody else, or damaged. */
  decrypt(text: string): Promise<string | undefined>
}

/** The identities of age in these files, as `age-keygen` writes them. Throws `FILE_UNREADABLE`, `KEY_AGE_IDENTITY_INVALID`. */
export async function openAgeIdentities(files: readonly string[]): Promise<AgeIdentities> {
  const { armor, Decrypter } = await loadAge()
  const decrypter = new Decrypter()
  for (const file of files) {
    const lines = (await readSmallFile(file)).split('\n').map((line) => line.trim())
    const identities = lines.filter((line) => line !== '' && !line.startsWith('#'))
    try {
      if (identities.length === 0) throw invalid(file)
      for (const identity of identities) decrypter.addIdentity(identity)
    } catch (error) {
      // What the library says of it is not passed on: it may quote the identity.
      throw isVaultError(error) ? error : invalid(file)
    }
  }
  return {
    async decrypt(text) {
      if (!text.trimStart().startsWith('-----BEGIN AGE')) return undefined
      try {
        return await decrypter.decrypt(armor.decode(text), 'text')
      } catch {
        return undefined
      }
    },
  }
}

function invalid(file: string): VaultError<AgeIdentityErrorCode> {
  return new VaultError({
    code: 'KEY_AGE_IDENTITY_INVALID',
    message: `${file} has no identity of age: a line that begins with AGE-SECRET-KEY-1, as "age-keygen" writes it.`,
    details: { file },
  })
}
