import type { Finding } from '@vault/core'
import { VaultError } from '@vault/core'
import type { CapsErrorCode } from './error.ts'
import { explain } from './explain.ts'
import type { Verdict } from './trace.ts'

/** The error of a verdict that grants nothing, with every reason, and the lines of {@link explain}. */
export function denied(
  action: string,
  object: string,
  verdict: Extract<Verdict, { readonly ok: false }>,
): VaultError<CapsErrorCode> {
  const findings: readonly Finding[] = verdict.trace.flatMap(({ refusal, id }) =>
    refusal === undefined
      ? []
      : [{ code: refusal.code, message: refusal.message, ...(id === undefined ? {} : { subject: id }) }],
  )
  return new VaultError({
    code: 'CAPS_DENIED',
    message: `${action} on ${object} is not granted: ${findings.map(({ message }) => message).join('; ')}.`,
    details: { findings, trace: explain(verdict) },
  })
}
