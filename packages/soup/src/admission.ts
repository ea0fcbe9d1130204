import type { Bytes } from '@vault/core'
import type { HeldBlock } from './held-block.ts'
import { checkHeld } from './held-block.ts'
import type { IntakeBatch } from './intake.ts'
import { checkBatchRecord } from './intake.ts'
import { checkEvents } from './outbox.ts'
import type { Change } from './soup.ts'
import { soupError } from './soup-error.ts'
import type { Tenure } from './tenures.ts'

/** What a change or a batch brings beside objects and entries: copies, within their limits. */
export interface Brought {
  readonly events: readonly Bytes[]
  readonly hold: readonly HeldBlock[]
  readonly record: Bytes | undefined
}

/** Throws `SOUP_INVALID` for events and blocks that are none, and for a change of a frozen vault that has more than these. */
export function checkChange({ events, hold, migration, refs, entries, objects }: Change): Brought {
  if (migration !== undefined && (refs ?? entries ?? objects) !== undefined) {
    throw soupError('SOUP_INVALID', 'A change of a frozen vault has audit events and held blocks, and nothing else.')
  }
  return { events: checkEvents(events), hold: checkHeld(hold), record: undefined }
}

/** Throws `SOUP_INVALID` for blocks and a record that are none. */
export function checkBatch({ hold, record }: IntakeBatch): Brought {
  return { events: [], hold: checkHeld(hold), record: checkBatchRecord(record) }
}

/**
 * Refuses a change that the vault does not take in this tenure: `SOUP_NOT_ACTIVE`, `SOUP_EPOCH`, `SOUP_TENURE` where the
 * change names a migration for which the vault is not frozen, and `SOUP_CONFLICT` for another number of events.
 */
export function admitChange(tenure: Tenure, change: Pick<Change, 'epoch' | 'migration' | 'expect'>): void {
  const { vault, state, epoch, events, migration } = tenure
  if (change.migration === undefined) {
    if (state !== 'active') {
      const message = `The vault ${vault} is ${state} here, so it does not change here.`
      throw soupError('SOUP_NOT_ACTIVE', message, { vault, state })
    }
  } else if (state !== 'quiesced' || migration !== change.migration) {
    const message = `The vault ${vault} is ${state} here and not frozen for the migration ${change.migration}.`
    throw soupError('SOUP_TENURE', message, { vault, state, migration })
  }
  if (epoch !== change.epoch) {
    const message = `The vault ${vault} is in epoch ${epoch}, not ${change.epoch}: read its tenure again.`
    throw soupError('SOUP_EPOCH', message, { vault, epoch, given: change.epoch })
  }
  const expected = change.expect?.events
  if (expected === undefined || expected === events) return
  const message = `The vault ${vault} has had ${events} audit events, not ${expected}. Read them and repeat the change.`
  throw soupError('SOUP_CONFLICT', message, { vault, events, expected })
}

/** Refuses with `SOUP_TENURE` what a migration writes, or puts back, where it or its driver is not the one that writes. */
export function admitBatch(tenure: Tenure, batch: Pick<IntakeBatch, 'migration' | 'driver'>): void {
  const { vault, state, migration, driver } = tenure
  if (state !== 'receiving' || migration !== batch.migration) {
    const message = `The vault ${vault} is ${state} here and takes nothing from the migration ${batch.migration}.`
    throw soupError('SOUP_TENURE', message, { vault, state, migration })
  }
  if (driver === batch.driver) return
  const message = `The vault ${vault} is written by the driver ${driver} of the migration, not by ${batch.driver}.`
  throw soupError('SOUP_TENURE', message, { vault, state, migration, driver })
}
