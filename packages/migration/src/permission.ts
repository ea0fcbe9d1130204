import type { AbortOptions, Authorize, Clock, ContentId, KeyId } from '@vault/core'
import { isVaultError, systemClock, VaultError } from '@vault/core'
import type { MigrationErrorCode } from './error.ts'
import type { HttpErrorCode } from './http/http-error.ts'

/** On whose authority something is done. */
export interface Mandate {
  /** Asked for `migrate` on the vault that moves and for `write` on the vault that is written. */
  readonly authorize: Authorize
  /** Keys whose signatures over the request have been verified. Default: none, which only an owner at the place may grant. */
  readonly signers?: readonly KeyId[]
  readonly approvals?: readonly KeyId[]
  readonly clock?: Clock
}

/** Both grants of a migration (X16). */
export interface Permission {
  /**
   * Call before everything that is visible at the target. Asks each time: a grant may be taken back at any time, and whoever grants
   * remembers what is costly. Throws what `authorize` throws.
   */
  require(): Promise<void>
  /** The same while it runs: throws `MIGRATION_NOT_GRANTED` with the refusal as its cause, because what was done stays. */
  keep(): Promise<void>
}

export function permissionFor(
  mandate: Mandate,
  vaults: { readonly source: ContentId; readonly target: ContentId },
  options: AbortOptions,
): Permission {
  const { authorize, signers = [], approvals = [], clock = systemClock } = mandate
  const wanted = [
    { action: 'migrate', object: vaults.source },
    { action: 'write', object: vaults.target },
  ]
  const require = async () => {
    for (const { action, object } of wanted)
      await authorize({ signers, approvals, action, object, at: clock() }, options)
  }
  return {
    require,
    async keep() {
      try {
        await require()
      } catch (cause) {
        throw isVaultError(cause) ? notGranted(cause) : cause
      }
    },
  }
}

/** What a place that judges for itself refuses in the middle was granted before, and is not any more; any other error as it is. */
export function refusedMeanwhile(error: unknown): unknown {
  return isVaultError(error, 'HTTP_NOT_ALLOWED' satisfies HttpErrorCode) ? notGranted(error) : error
}

function notGranted(cause: VaultError): VaultError<MigrationErrorCode> {
  const { code = cause.code, ...details } = cause.details ?? {}
  return new VaultError({
    code: 'MIGRATION_NOT_GRANTED',
    message: `The migration has stopped, because it is not granted any more: ${cause.message} What was done stays. Let it be granted, and go on, or roll it back.`,
    details: { ...details, code },
    cause,
  })
}
