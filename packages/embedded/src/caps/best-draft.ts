import { isVaultError } from '@vault/core'
import type { CapIssuer } from './issue-cap.ts'

/**
 * What is drafted by the one of these for whom least is to be said against it, the first of equals. Throws `CAPS_DENIED`, that of the first,
 * where it is refused to all of them.
 */
export async function bestDraft<Draft extends object>(
  issuers: readonly CapIssuer[],
  draft: (issuer: CapIssuer) => Promise<Draft>,
  against: (drafted: Draft) => number = () => 0,
): Promise<Draft> {
  let best: Draft | undefined
  let refusal: unknown
  for (const issuer of issuers) {
    try {
      const drafted = await draft(issuer)
      if (best === undefined || against(drafted) < against(best)) best = drafted
      if (against(best) === 0) return best
    } catch (error) {
      if (!isVaultError(error, 'CAPS_DENIED')) throw error
      refusal ??= error
    }
  }
  if (best === undefined) throw refusal
  return best
}
