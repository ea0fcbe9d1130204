import { VaultError } from '@vault/core'
import type { Place } from './place.ts'
import type { VaultErrorCode } from './vault-error.ts'

export function unknownName(name: string, place: Place): VaultError<VaultErrorCode> {
  return new VaultError({
    code: 'VAULT_NAME_UNKNOWN',
    message: `Nothing in ${place.dir} is named ${JSON.stringify(name)}.`,
    details: { name },
  })
}
