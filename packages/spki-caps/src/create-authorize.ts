import type { AuthorityRequest, Authorize, Grant } from '@vault/core'
import { answer } from './answer.ts'
import type { CertificateIndex } from './certificate-index.ts'
import type { Circumstances } from './circumstances.ts'
import { denied } from './denied.ts'
import type { Verdict } from './trace.ts'
import { askedTag } from './vault-tag.ts'
import { knownVoices } from './voices.ts'

/** What the authority of a place goes by; what changes is asked for each time. */
export interface AuthorizeParts {
  readonly index: CertificateIndex
  circumstances(request: AuthorityRequest): Omit<Circumstances, 'now'>
}

/**
 * The `Authorize` of a place whose authority is in certificates: it finds a chain for `['vault', action, object/path]` from the
 * signers and approvals of the request, which whoever asks has verified, and holds it against the time of the request.
 * Refuses with `CAPS_DENIED`.
 */
export function createAuthorize({ index, circumstances }: AuthorizeParts): Authorize {
  return async (request, options) => {
    const { action, object, path = [], signers, approvals = [], at } = request
    const question = {
      action,
      tag: askedTag(action, { path: [object, ...path] }),
      voices: knownVoices([...signers, ...approvals]),
    }
    const { verdict } = await answer(question, index, { ...circumstances(request), now: at }, options)
    return grantOf(request, verdict)
  }
}

function grantOf({ action, object }: AuthorityRequest, verdict: Verdict): Grant {
  if (!verdict.ok) throw denied(action, object, verdict)
  const { expires } = verdict.effective
  return { action, object, ...(expires === null ? {} : { expires: new Date(expires * 1000) }), proven: true }
}
