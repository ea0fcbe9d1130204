import { isVaultError, type VaultError } from '@vault/core'
import { EXIT, exitCodeOf, Interruption, UsageError } from './exit-code.ts'
import type { Output } from './output.ts'
import { OutputError } from './output-error.ts'

/**
 * What failed first. Where closing fails after that, `await using` hides it in a `SuppressedError`, of which the first
 * error keeps what came later as its cause. By name: Node 22 lacks the class, and the build brings its own.
 */
export function firstError(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'SuppressedError' || !('suppressed' in error)) return error
  const first = firstError(error.suppressed)
  if (first instanceof Error) first.cause ??= (error as SuppressedError).error
  return first
}

/** What it takes where the same command would only stop again. */
const TAKES: ReadonlyMap<string, string> = new Map([
  [
    'MIGRATION_IDENTITY_MISSING',
    'What was done is safe. To let its holders sign: vault-migrate resume --ceremony DIR, with the same --from and --to.',
  ],
])

/** What becomes of what was done. A server that has never answered was asked before anything else was done. */
function whatNext({ code, details }: VaultError): string {
  if (code === 'HTTP_UNREACHABLE' && details.heard === false)
    return 'This command has changed nothing. Run it again when somebody answers there.'
  return TAKES.get(code) ?? 'What was done is safe; the same command goes on.'
}

/** A failure in words, a line each. */
export function failureLines(error: unknown): readonly string[] {
  if (error instanceof Interruption) return ['Interrupted. What was done is safe; the same command goes on from there.']
  if (isVaultError(error)) {
    const { trace } = error.details
    const line = `${error.message} [${error.code}]`
    return [
      line,
      // A server may have given it: it stands under what is said of that.
      ...(Array.isArray(trace) ? trace.map((step) => `  ${step}`) : []),
      ...(exitCodeOf(error) === EXIT.incomplete ? [whatNext(error)] : []),
    ]
  }
  if (error instanceof OutputError) return error.readerIsGone ? [] : [error.message]
  if (error instanceof UsageError) return [error.message]
  return `Unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`.split('\n')
}

/** A failure as the result of a command with `--json`. */
export function failureResult(error: unknown): Readonly<Record<string, unknown>> {
  const message = error instanceof Error ? error.message : String(error)
  const details = isVaultError(error) && Object.keys(error.details).length > 0 ? { details: error.details } : {}
  return { ok: false, error: { code: codeOf(error), message, ...details } }
}

function codeOf(error: unknown): string {
  if (isVaultError(error)) return error.code
  if (error instanceof UsageError) return 'USAGE'
  return error instanceof Interruption ? 'INTERRUPTED' : 'UNEXPECTED'
}

/** Tells whoever runs a server here what has failed in it, as no client is told. */
export function warningOf(output: Output): (error: unknown) => void {
  return (error) => output.warn(`Failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`)
}
