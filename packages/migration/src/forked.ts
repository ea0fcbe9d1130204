import type { ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from './error.ts'

/** The vault is active at two places, or has been, as behind a recovery from a loss that was none. Only people can say which of them it is. */
export function forked(
  vault: ContentId,
  label: string,
  { migration, cause }: { readonly migration?: string; readonly cause?: unknown } = {},
): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_FORKED',
    message: `The vault ${vault} is active at ${label} too, or was, so both places may have been written, and neither is given up. Choose the one that it is to be; "vault-migrate diff --names" names what is different. Bring what only the other has ("vaultctl get", then "vaultctl put"), and take the other away.`,
    details: { vault, ...(migration !== undefined && { migration }) },
    cause,
  })
}
