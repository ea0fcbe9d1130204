import type { Principal } from './principal.ts'
import type { Tag } from './tag.ts'

/**
 * Where authority begins: whoever verifies grants this to that principal, by a decision of their own that needs no
 * signature. A list of roots is the access control list of a place.
 */
export interface Root {
  /** For people, and for comparison: the same root has the same name everywhere. */
  readonly name: string
  readonly subject: Principal
  readonly tag: Tag
  readonly delegate: boolean
  /** How many certificates may follow. Default: as many as the limits allow. */
  readonly depth?: number
  /** Default: for ever. */
  readonly expires?: Date
  /** Who keeps the sets of revocations for all that begins here; it may revoke any of it. `none`: nobody does. */
  readonly revocations: Principal | 'none'
}
