import type { ContractCase } from '@vault/core/testing'
import type { SoupStore } from './soup-store.ts'
import { commitCases } from './testing/commit-cases.ts'
import { contractCases } from './testing/contract-cases.ts'
import { feedCases } from './testing/feed-cases.ts'
import { handOffCases } from './testing/hand-off-cases.ts'
import { heldCases } from './testing/held-cases.ts'
import { hostileCases } from './testing/hostile-cases.ts'
import { intakeCases } from './testing/intake-cases.ts'
import { outboxCases } from './testing/outbox-cases.ts'
import { queryCases } from './testing/query-cases.ts'
import { reclaimCases } from './testing/reclaim-cases.ts'
import { recordsCases } from './testing/records-cases.ts'
import { releaseCases } from './testing/release-cases.ts'
import { restoreCases } from './testing/restore-cases.ts'
import { tenureCases } from './testing/tenure-cases.ts'
import { viewCases } from './testing/view-cases.ts'

export { soupFeedContract } from './testing/feed-cases.ts'

/** Every promise of the ports, for a fresh and empty store each. */
export const soupContract: readonly ContractCase<SoupStore>[] = [
  ...commitCases,
  ...hostileCases,
  ...contractCases,
  ...releaseCases,
  ...feedCases,
  ...queryCases,
  ...viewCases,
  ...intakeCases,
  ...tenureCases,
  ...outboxCases,
  ...heldCases,
  ...handOffCases,
  ...restoreCases,
  ...recordsCases,
  ...reclaimCases,
]
