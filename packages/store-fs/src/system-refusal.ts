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
  if (isVaultError(cause) || !SYSTEM_CODE.test(errorCode(cause) ?? '')) return cause
  return refusal('CAS_READ_FAILED', `Reading ${path} failed, which does not say what is stored`, path, cause)
}

function refusal(code: CasErrorCode, message: string, file: string, cause: unknown): VaultError<CasErrorCode> {
  const errno = errorCode(cause)
  const advice = ADVICE.get(errno ?? '') ?? 'See what the system says'
  const details = { file, ...(errno === undefined ? {} : { errno }) }
  return new VaultError({ code, message: `${message} (${errno ?? cause}). ${advice}, then repeat.`, details, cause })
}
