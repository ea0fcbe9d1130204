import { isFullDisk, isVaultError } from '@vault/core'
import { OutputError } from './output-error.ts'

/** Exit codes of every command: scripts rely on them. */
export const EXIT = {
  ok: 0,
  /** Refused, or a verification failed. */
  refused: 1,
  /** The command was not understood. */
  usage: 2,
  /** Evidence of a rollback or a fork. */
  evidence: 3,
  /** Not finished, or it waits for others: for approvals, signatures, leave; running it again goes on. */
  incomplete: 4,
  /** State on this machine is damaged. */
  damaged: 5,
  /** Stopped by the user; running it again goes on. */
  interrupted: 130,
  /** Whoever read stdout went away before the result was whole: as of a program that `SIGPIPE` ends. Never 0, which would say that all is well. */
  unread: 141,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** For the help of every command. */
export const EXIT_CODES_HELP = `
Exit codes: 0 ok, 1 refused or damage found, 2 usage, 3 evidence of rollback or fork, 4 incomplete, or waiting for
others, as for approvals or signatures (run again to go on), 5 local state damaged, 130 interrupted (run again to go on), 141 stdout was closed before its end.`

/** A command line that was not understood. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The user's Ctrl-C. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
}

const DAMAGED: ReadonlySet<string> = new Set([
  'CAS_CORRUPT',
  'CAS_FORMAT',
  'CAS_MISSING',
  'CAS_MALFORMED',
  'AUDIT_TAMPERED',
  'AUDIT_MISSING',
  'AUDIT_ENTRY_INVALID',
  'AUDIT_NOTE_INVALID',
  'AUDIT_CHECKPOINT_INVALID',
  'AUDIT_CHECKPOINT_UNTRUSTED',
  'AUDIT_GAP',
  'AUDIT_MARK_DAMAGED',
  'SOUP_CORRUPT',
  'SOUP_FORMAT',
  'VAULT_FORMAT',
  'KEY_DAMAGED',
  'MIGRATION_SOURCE_DAMAGED',
])
const INCOMPLETE: ReadonlySet<string> = new Set([
  'MIGRATION_INCOMPLETE',
  'MIGRATION_UNFINISHED',
  'MIGRATION_SUPERSEDED',
  'MIGRATION_PAUSED',
  'MIGRATION_DIVERGING',
  'MIGRATION_PAUSE_EXCEEDED',
  'MIGRATION_CHANGED',
  'HTTP_LIMIT',
  'HTTP_SERVER_FAILED',
  'HTTP_SESSION',
  'HTTP_UNREACHABLE',
  'MIGRATION_NOT_APPROVED',
  'MIGRATION_NOT_GRANTED',
  'MIGRATION_IDENTITY_MISSING',
  'ROUTING_FAILED',
  'CEREMONY_INCOMPLETE',
  'SOUP_BUSY',
  'SOUP_NOT_STORED',
])
const WRITE_FAILED: ReadonlySet<string> = new Set(['CAS_WRITE_FAILED', 'SOUP_WRITE_FAILED', 'AUDIT_WRITE_FAILED'])
const EVIDENCE: ReadonlySet<string> = new Set(['AUDIT_ROLLBACK', 'AUDIT_FORK', 'MIGRATION_FORKED'])

/** The exit code of a command that ended with this error. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return EXIT.usage
  if (error instanceof Interruption) return EXIT.interrupted
  if (error instanceof OutputError && error.readerIsGone) return EXIT.unread
  if (!isVaultError(error)) return EXIT.refused
  if (EVIDENCE.has(error.code)) return EXIT.evidence
  if (DAMAGED.has(error.code)) return EXIT.damaged
  if (WRITE_FAILED.has(error.code)) return lacksRoom(error) ? EXIT.incomplete : EXIT.refused
  return INCOMPLETE.has(error.code) ? EXIT.incomplete : EXIT.refused
}

/** Whether the system, or a store, found no room. Anything else that forbids writing still forbids it the next time. */
function lacksRoom(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return isFullDisk(isVaultError(error) ? error.details.errno : code) || lacksRoom(error.cause)
}
