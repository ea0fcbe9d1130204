import { isVaultError, VaultError } from '@vault/core'

/**
 * A refusal by the operating system, with the path it is about, as a `VaultError` of this code; every other error as it
 * is. `doing` says what was refused, where that is not plain from the system's own words.
 */
export function systemError<Code extends string>(
  code: Code,
  path: string,
  cause: unknown,
  doing = 'access to',
): unknown {
  const { code: errno, syscall } = (cause ?? {}) as NodeJS.ErrnoException
  if (isVaultError(cause) || syscall === undefined) return cause
  return new VaultError<Code>({
    code,
    message:
      errno === 'ENOENT'
        ? `There is no ${path}: ${errno} (${syscall}).`
        : `The system refuses ${doing} ${path}: ${errno} (${syscall}).`,
    details: { path, errno },
    cause,
  })
}
