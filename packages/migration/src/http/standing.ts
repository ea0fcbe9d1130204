import type { ContentId } from '@vault/core'
import type { TenureState } from '@vault/soup'
import type { Field } from '../records/field.ts'
import { count, id, list, map, nullable } from '../records/field.ts'
import { migration, tenureState } from './wire-field.ts'

/** What a vault is at a place, and how much it holds. */
export interface VaultStanding {
  readonly vault: ContentId
  readonly state: TenureState
  readonly epoch: number
  readonly sequence: number
  /** The migration by which it is what it is. */
  readonly migration: string | null
  readonly objects: number
  readonly bytes: number
  readonly entries: number
}

/** Where a place is asked for them. */
export const VAULTS_PATH = '/vaults'

export const standings: Field<readonly VaultStanding[]> = list(
  map<VaultStanding>({
    vault: id,
    state: tenureState,
    epoch: count,
    sequence: count,
    migration: nullable(migration),
    objects: count,
    bytes: count,
    entries: count,
  }),
  65_536,
)
