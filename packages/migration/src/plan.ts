import type { Bytes, ContentId, KeyId } from '@vault/core'
import { contentId, encode } from '@vault/core'
import type { Query } from '@vault/soup'
import type { Statement } from '@vault/transfer'

/** Why a vault moves (M002). */
export type MigrationReason = 'hardware-failure' | 'provider-change' | 'jurisdiction' | 'performance' | 'cost'

export const MIGRATION_REASONS: readonly MigrationReason[] = [
  'hardware-failure',
  'provider-change',
  'jurisdiction',
  'performance',
  'cost',
]

/** How much of the content is read back. Roots are always compared whole. */
export type Verification = { readonly mode: 'full' } | Sample

/** The `size` rows of each table with the least SHA-256 of seed and key: see `formats/migration-plan.md`. */
export interface Sample {
  readonly mode: 'sample'
  readonly size: number
  readonly seed: string
}

/** The most rows of a table that a sample has: they are in memory, and finding more needs a full verification. */
export const MAX_SAMPLE: number = 100_000

/** Which keys of a vault are made at the target of a move; the others it keeps. */
export type PlannedKeys =
  /** Identity, operators and log. */
  | 'new'
  /** Identity and log: the operators are several people. */
  | 'new-identity'
  /** Log. */
  | 'keep'

/** What becomes of the keys of a vault that moves. */
export interface PlannedHandoff {
  readonly keys: PlannedKeys
  /** Keys of an identity that is kept, ascending, whose files lie at the source, and stay there. Absent where there are none, and in older plans. */
  readonly identity_stays?: readonly KeyId[]
  /** The same of operators that are kept. */
  readonly operators_stays?: readonly KeyId[]
}

/** What a migration is to do, decided before anything is written. The type is the format: `formats/migration-plan.md`. */
export interface Plan {
  readonly type: 'migration-plan'
  readonly v: 1
  /** 32 lower-case hexadecimal digits; in everything that belongs to this migration. */
  readonly migration_id: string
  /** `full`: the whole vault to a place. `partial`: what `select` finds into another vault that is active. */
  readonly kind: 'full' | 'partial'
  readonly reason?: MigrationReason
  /** The source as it was when the plan was made. */
  readonly source: Statement & { readonly vault: ContentId; readonly label: string }
  readonly target: {
    readonly label: string
    /** Which place it is, by its own name and its key: only where the vault is handed off. Absent in older plans, and where the target does not say it. */
    readonly instance?: string
    readonly place?: KeyId
  }
  /** Entries to move, with their objects and all that these link to. Only in a partial plan. */
  readonly select?: Query
  readonly verification: Verification
  /** The vault is handed off: afterwards the target is its active place. Absent: the target gets a copy. Only in a full plan. */
  readonly handoff?: PlannedHandoff
  /** Passes over the differences before a source that keeps changing is given up, 1 to 1,000. */
  readonly rounds: number
}

/** The canonical bytes of a plan. */
export function encodePlan(plan: Plan): Bytes {
  return encode(plan)
}

/** The id under which a plan is kept and signed. */
export function planId(plan: Plan): ContentId {
  return contentId(encodePlan(plan), { hash: 'sha2-256', codec: 'dag-cbor' })
}
