import { isVaultError } from '@vault/core'
import { UsageError } from './exit-code.ts'

/** Does what listens at an address that was named on the command line. Throws a `UsageError`, with what to do, where that cannot be done. */
export async function listening<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    if (!isVaultError(error, 'SERVER_CANNOT_LISTEN')) throw error
    throw new UsageError(`${error.message} ${ADVICE[String(error.details.errno)] ?? OTHERS}`)
  }
}

const OTHERS = 'Name others with --host and --port.'
const ADDRESSES = 'Name one that it has with --host; 0.0.0.0 is all of them.'

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'End it, or name another --port; 0 is any that is free.',
  EADDRNOTAVAIL: ADDRESSES,
  ENOTFOUND: ADDRESSES,
  EACCES: 'Name one from 1024 on with --port.',
}
