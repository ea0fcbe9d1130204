import { type KeyId, VaultError } from '@vault/core'

/** The `code` of the errors about keys that have names. */
export type NamedKeyErrorCode =
  /** A text that cannot be the name of a key. `details.name`. */
  | 'KEY_NAME_INVALID'
  /** The name stands for a key already, which is never overwritten. `details.name`. */
  | 'KEY_EXISTS'
  /** No key has this name. `details.name`. */
  | 'KEY_UNKNOWN'
  /** Only the public part of the key is here. `details.name`. */
  | 'KEY_NOT_HELD'
  /** The system does not let the keystore be made, read or written. `details.path`, `details.errno`. */
  | 'KEYSTORE_INACCESSIBLE'

/** Where a key is named these words mean others, as in `vault/accountants`, and `operators` for those of the vault. */
const MEANT_OTHERWISE: ReadonlySet<string> = new Set(['operators', 'vault'])
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/

/** Throws `KEY_NAME_INVALID` for what is no name of a key: it is one of a folder, and stands in other people's terminals. */
export function checkKeyName(name: string): void {
  if (NAME.test(name)) return
  throw new VaultError<NamedKeyErrorCode>({
    code: 'KEY_NAME_INVALID',
    message: `${JSON.stringify(name.slice(0, 80))} cannot be the name of a key: 1 to 64 letters, digits and any of "._@+-", the first a letter or digit.`,
    details: { name: name.slice(0, 80) },
  })
}

/** The same for a name that is to be given to a key. */
export function checkNewKeyName(name: string): void {
  checkKeyName(name)
  if (!MEANT_OTHERWISE.has(name)) return
  throw new VaultError<NamedKeyErrorCode>({
    code: 'KEY_NAME_INVALID',
    message: `A key cannot be called ${name}: where keys are named, that word stands for the vault. Choose another name.`,
    details: { name },
  })
}

export function keyExists(name: string, dir: string): VaultError<NamedKeyErrorCode> {
  return new VaultError({
    code: 'KEY_EXISTS',
    message: `There is a key ${name} in ${dir} already, and it is not overwritten: choose another name.`,
    details: { name },
  })
}

export function unknownKey(name: string, dir: string, why = 'is not there'): VaultError<NamedKeyErrorCode> {
  return new VaultError({
    code: 'KEY_UNKNOWN',
    message: `The key ${name} in the keystore ${dir} ${why}. "vaultctl keys list" names all that are.`,
    details: { name },
  })
}

export function notHeld(name: string, key: KeyId): VaultError<NamedKeyErrorCode> {
  return new VaultError({
    code: 'KEY_NOT_HELD',
    message: `The key ${name} (${key}) is somebody else's: only its public part is here.`,
    details: { name, key },
  })
}
