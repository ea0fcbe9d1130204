import type { AbortOptions, ContentId, Finding } from '@vault/core'
import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { MoveSource } from './move-endpoint.ts'
import type { Work } from './work.ts'

/** A source whose vault may have a mandate: others approve a hand-off before it is begun. */
export interface MandatedSource extends MoveSource {
  /**
   * Why the hand-off of this plan is not approved; empty where it is, or nobody has to. `anywhere`: the plan does not say to which place it
   * leads, so whoever has to approve it cannot.
   */
  missingApprovals(
    plan: ContentId,
    options?: AbortOptions & { readonly anywhere?: boolean },
  ): Promise<readonly Finding[]>
}

/** Throws `MIGRATION_NOT_APPROVED` unless the plan is approved as the vault's mandate asks, just now. */
export async function requireApprovals({ parts: { source }, plan, planId, options }: Work): Promise<void> {
  if (!isMandated(source)) return
  const { instance, place } = plan.target
  // A label can be that of any place: an approval is of the one that the plan names, by its id and its key.
  const anywhere = instance === undefined || place === undefined
  const findings = await source.missingApprovals(planId, { ...options, anywhere })
  if (findings.length === 0) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_NOT_APPROVED',
    message: `The hand-off of ${source.label} waits for approvals: ${findings.map(({ message }) => message).join(' ')} Whoever may approve it does so by the id of its plan: "vaultctl caps approve DIR ${planId} --as NAME". Then "vault-migrate resume" with the same --from and --to goes on with it.`,
    details: { plan: planId, findings },
  })
}

function isMandated(source: MoveSource): source is MandatedSource {
  return 'missingApprovals' in source
}
