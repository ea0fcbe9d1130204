import type { ContentId } from '@vault/core'
import { checkExpected, planEntries } from '../plan-entries.ts'
import type { Change, Committed, IntakeBatch } from '../soup.ts'
import { soupError } from '../soup-error.ts'
import { notPresent, StateDraft } from './state-draft.ts'
import type { VaultState } from './vault-state.ts'

/** An ordinary change: tenure, epoch, expectations, contracts, objects, entries, feed, in this order. */
export function commitChange(state: VaultState, change: Change): Committed {
  requireActive(state, change.epoch)
  const stored = (key: string) => state.entries.get(key)?.bytes
  checkExpected(change.expect ?? {}, stored)
  requirePresent(state, change.expect?.present ?? [])
  requireSound(state, change.expect?.segments ?? [])
  const transitions = planEntries(change, stored)
  const draft = new StateDraft(state)
  const { add = [], release = [] } = change.objects ?? {}
  for (const member of add) draft.addMember(member)
  for (const transition of transitions) draft.applyEntry(transition)
  draft.release(release, new Set([...add.map(({ id }) => id), ...(change.expect?.present ?? [])]))
  draft.requireClosed()
  return draft.finish()
}

/** A migration's change: exact, without contracts and without asking what refers to what. Removals come first. */
export function receiveBatch(state: VaultState, batch: IntakeBatch): Committed {
  requireReceiving(state, batch.migration)
  requireSound(state, batch.segments ?? [])
  const draft = new StateDraft(state)
  for (const bytes of batch.versions ?? []) draft.addVersion(bytes)
  for (const key of batch.entries?.remove ?? []) draft.removeEntry(key)
  for (const bytes of batch.entries?.put ?? []) draft.putEntry(bytes)
  for (const id of batch.objects?.remove ?? []) draft.removeMember(id)
  for (const member of batch.objects?.add ?? []) draft.addMember(member)
  return draft.finish()
}

/** Marks are kept with the vault, so for one that is not here they would be lost: refused. */
export function condemnSegments({ tenure, condemned }: VaultState, segments: readonly string[]): void {
  const { vault, state } = tenure
  if (state === 'none') throw soupError('SOUP_NOT_ACTIVE', `The vault ${vault} is not here.`, { vault, state })
  for (const segment of segments) condemned.add(segment)
}

function requireActive({ tenure }: VaultState, epoch: number): void {
  const { vault, state } = tenure
  if (state !== 'active') {
    throw soupError('SOUP_NOT_ACTIVE', `The vault ${vault} is ${state} here, so it does not change here.`, {
      vault,
      state,
    })
  }
  if (tenure.epoch !== epoch) {
    const details = { vault, epoch: tenure.epoch, given: epoch }
    throw soupError(
      'SOUP_EPOCH',
      `The vault ${vault} is in epoch ${tenure.epoch}, not ${epoch}: read its tenure again.`,
      details,
    )
  }
}

function requireReceiving({ tenure }: VaultState, migration: string): void {
  if (tenure.state === 'receiving' && tenure.migration === migration) return
  const { vault, state } = tenure
  throw soupError(
    'SOUP_TENURE',
    `The vault ${vault} is ${state} here and takes nothing from the migration ${migration}.`,
    { vault, state, migration: tenure.migration },
  )
}

function requirePresent(state: VaultState, ids: readonly ContentId[]): void {
  const missing = ids.filter((id) => !state.members.has(id))
  if (missing.length > 0) throw notPresent(missing)
}

function requireSound(state: VaultState, named: readonly string[]): void {
  const segments = named.filter((segment) => state.condemned.has(segment))
  if (segments.length === 0) return
  throw soupError(
    'SOUP_CONDEMNED',
    `The segments ${segments.join(', ')} are about to go. Put those bytes again and repeat.`,
    {
      segments,
    },
  )
}
