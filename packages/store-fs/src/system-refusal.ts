import type { TrailErrorCode } from '@vault/audit-chain'
import type { CasErrorCode } from '@vault/cas'
import { isVaultError, VaultError } from '@vault/core'
import { errorCode } from './fs.ts'

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'The disk is full: make room'],
  ['EDQUOT', 'The quota is used up: make room'],
  ['EROFS', 'The disk is read-only: make it writable'],
  ['EACCES', 'This user has no permission: get access'],
  ['EPERM', 'This user has no permission: get access'],
  ['EMFILE', 'Too many files are open: close some or raise the limit'],
  ['ENFILE', 'Too many files are open: close some or raise the limit'],
  ['EIO', 'The disk fails: copy what can be read to another one'],
])

/** A refusal to write into a file or folder, whatever it is. */
export function writeFailed(path: string, cause: unknown): VaultError<CasErrorCode> {
  return refusal('CAS_WRITE_FAILED', `Nothing of this batch is acknowledged: writing to ${path} failed`, path, cause)
}

/** As the system's codes are and those of Node, of an abort for one, are not. */
const SYSTEM_CODE = /^E[A-Z0-9]+$/

/** The system's refusal to read a file or folder, which says nothing about what is stored; any other error as it is. */
export function readFailed(path: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause
  return refusal('CAS_READ_FAILED', `Reading ${path} failed, which does not say what is stored`, path, cause)
}

/** {@link writeFailed} for the files of a log; errors that are not the system's as they are. */
export function logWriteFailed(dir: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause
  return refusal('AUDIT_WRITE_FAILED', `Nothing is acknowledged: writing ${dir} failed`, dir, cause)
}

/** {@link readFailed} for the files of a log. */
export function logReadFailed(dir: string, cause: unknown): unknown {
  if (!isSystemError(cause)) return cause
  return refusal('AUDIT_READ_FAILED', `Reading ${dir} failed, which does not say what it holds`, dir, cause)
}

function isSystemError(error: unknown): boolean {
  return !isVaultError(error) && SYSTEM_CODE.test(errorCode(error) ?? '')
}

function refusal<Code extends CasErrorCode | TrailErrorCode>(
  code: Code,
  message: string,
  file: string,
  cause: unknown,
): VaultError<Code> {
  const errno = errorCode(cause)
  const advice = ADVICE.get(errno ?? '') ?? 'See what the system says'
  const details = { file, ...(errno === undefined ? {} : { errno }) }
  return new VaultError({ code, message: `${message} (${errno ?? cause}). ${advice}, then repeat.`, details, cause })
}
