import type { AbortOptions } from '@vault/core'
import type { Records, Tenure } from '@vault/soup'
import { decodePlan } from '../../parse-plan.ts'
import { readMove } from '../journal.ts'
import { readWriterNotice } from './writer-notice.ts'

/** Where a vault went that was handed off from a place. */
export interface MovedTo {
  readonly migration: string
  readonly label: string
  /** 32 hexadecimal digits: the place. */
  readonly instance?: string
  /** The epoch in which it is active there. */
  readonly epoch: number
  /** Where writers reach it, as far as the one who moved it knew. */
  readonly address?: string
  /** It is active there; before, the hand-off is signed, and it is about to be. */
  readonly arrived: boolean
}

/** Where a retired vault went, as the records of the place say; `undefined` where they do not know. */
export async function movedTo(
  records: Records,
  { vault, state, epoch, migration }: Tenure,
  options?: AbortOptions,
): Promise<MovedTo | undefined> {
  if (state !== 'retired' || migration === undefined) return undefined
  const move = await readMove(records, migration, options)
  if (move === undefined || move.vault !== vault) return undefined
  const { label } = decodePlan(move.plan).target
  const arrived = move.phase === 'activated' || move.phase === 'complete'
  const notice = await readWriterNotice(records, vault, options)
  const told = notice?.migration === migration ? notice.to : undefined
  const { instance, address } = told ?? {}
  return {
    migration,
    label,
    epoch,
    arrived,
    ...(instance !== undefined && { instance }),
    ...(address != null && { address }),
  }
}
