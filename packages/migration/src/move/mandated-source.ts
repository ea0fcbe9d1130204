import type { AbortOptions, ContentId, Finding } from '@vault/core'
import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { MoveSource } from './move-endpoint.ts'
import type { Work } from './work.ts'

/** A source whose vault may have a mandate: others approve a hand-off before it is begun. */
export interface MandatedSource extends MoveSource {
  /** Why the hand-off of this plan is not approved; empty where it is, or nobody has to. */
  missingApprovals(plan: ContentId, options?: AbortOptions): Promise<readonly Finding[]>
}

/** Throws `MIGRATION_NOT_APPROVED` unless the plan is approved as the vault's mandate asks, just now. */
export async function requireApprovals({ parts: { source }, planId, options }: Work): Promise<void> {
  if (!isMandated(source)) return
  const findings = await source.missingApprovals(planId, options)
  if (findings.length === 0) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_NOT_APPROVED',
    message: `The hand-off of ${source.label} waits for approvals: ${findings.map(({ message }) => message).join(' ')} Whoever may approve it does so by the id of its plan, ${planId}; then go on with it.`,
    details: { plan: planId, findings },
  })
}

function isMandated(source: MoveSource): source is MandatedSource {
  return 'missingApprovals' in source
}
