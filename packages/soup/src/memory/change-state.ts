import type { ContentId } from '@vault/core'
import { equalBytes } from '@vault/core'
import { admitBatch, admitChange, checkBatch, checkChange } from '../admission.ts'
import type { IntakeBatch, Received, RestoreRequest } from '../intake.ts'
import { checkLimit } from '../limit.ts'
import { checkExpected, planEntries } from '../plan-entries.ts'
import type { Change, Committed } from '../soup.ts'
import { soupError } from '../soup-error.ts'
import { notPresent, StateDraft } from './state-draft.ts'
import type { VaultState } from './vault-state.ts'

/** An ordinary change: tenure, epoch, expectations, contracts, objects, entries, feed, in this order. */
export function commitChange(state: VaultState, change: Change): Committed {
  const { events, hold } = checkChange(change)
  admitChange(state.tenure, change)
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
  const committed = draft.finish()
  state.queue(events)
  state.hold(hold)
  return committed
}

/** A migration's change: exact, without contracts and without asking what refers to what. Removals come first. */
export function receiveBatch(state: VaultState, batch: IntakeBatch): Received {
  const { hold, record } = checkBatch(batch)
  admitBatch(state.tenure, batch)
  requireSound(state, batch.segments ?? [])
  const draft = new StateDraft(state)
  for (const bytes of batch.versions ?? []) draft.addVersion(bytes)
  for (const key of batch.entries?.remove ?? []) draft.removeEntry(key)
  for (const bytes of batch.entries?.put ?? []) draft.putEntry(bytes)
  for (const id of batch.objects?.remove ?? []) draft.removeMember(id)
  for (const member of batch.objects?.add ?? []) draft.addMember(member)
  if (state.tenure.before?.state !== 'none') draft.displace(state.displaced)
  const committed = draft.finish()
  state.hold(hold)
  if (record === undefined) return committed
  const latest = state.batches.at(-1)
  if (latest === undefined || !equalBytes(latest, record)) state.batches = [...state.batches, record]
  return { ...committed, batch: state.batches.length }
}

/** Puts rows back as they were before they were received over, at most so many. */
export function restoreRows(state: VaultState, request: RestoreRequest): { readonly remaining: number } {
  checkLimit(request.limit)
  admitBatch(state.tenure, request)
  const { displaced } = state
  const draft = new StateDraft(state)
  const members = first(displaced.members, request.limit)
  const entries = first(displaced.entries, request.limit - members.length)
  const versions = first(displaced.versions, request.limit - members.length - entries.length)
  for (const [id, was] of members) draft.restoreMember(id, was)
  for (const [key, was] of entries) {
    if (was === undefined) draft.removeEntry(key)
    else draft.putEntry(was.bytes)
  }
  // A version never changes and is never removed: what was touched came.
  for (const [id] of versions) draft.removeVersion(id)
  draft.finish()
  for (const [id] of members) displaced.members.delete(id)
  for (const [key] of entries) displaced.entries.delete(key)
  for (const [id] of versions) displaced.versions.delete(id)
  return { remaining: state.stock.displaced }
}

function first<Key, Row>(rows: Map<Key, Row>, limit: number): readonly [Key, Row][] {
  const found: [Key, Row][] = []
  for (const row of rows) {
    if (found.length >= limit) break
    found.push(row)
  }
  return found
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
