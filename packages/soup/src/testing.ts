import type { ContractCase } from '@vault/core/testing'
import type { SoupStore } from './soup.ts'
import { commitCases } from './testing/commit-cases.ts'
import { contractCases } from './testing/contract-cases.ts'
import { feedCases } from './testing/feed-cases.ts'
import { hostileCases } from './testing/hostile-cases.ts'
import { intakeCases } from './testing/intake-cases.ts'
import { queryCases } from './testing/query-cases.ts'
import { releaseCases } from './testing/release-cases.ts'
import { tenureCases } from './testing/tenure-cases.ts'
import { viewCases } from './testing/view-cases.ts'

export { soupFeedContract } from './testing/feed-cases.ts'

/** Every promise of `soup.ts`, for a fresh and empty store each. */
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
]
