import type { AbortOptions, ContentId } from '@vault/core'
import type { Intake } from './intake.ts'
import type { Outbox } from './outbox.ts'
import type { Reclaim } from './reclaim.ts'
import type { Records } from './records.ts'
import type { Auditable, Soup } from './soup.ts'
import type { Tenures } from './tenures.ts'

/** Everything of one vault at a place. */
export interface VaultSoup extends Soup, Intake, Outbox, Auditable {
  /** How many entries have keys that begin so. Reads none of them, so one that is damaged counts as well. */
  count(prefix: string, options?: AbortOptions): Promise<number>
}

/** The soups of a place. */
export interface SoupStore extends AsyncDisposable {
  readonly tenures: Tenures
  readonly records: Records
  readonly reclaim: Reclaim
  /** Needs no I/O; a vault that is not here reads as empty, in tenure `none`. */
  soup(vault: ContentId): VaultSoup
}
