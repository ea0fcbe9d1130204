import type { BulkCas, BulkCasReader, CasReader } from '@vault/cas'
import type { AbortOptions, ContentId } from '@vault/core'
import { decodeEnvelope, isVaultError, VaultError, verifyKeyHistory } from '@vault/core'
import type { SoupStore, Tenure } from '@vault/soup'
import type { AbandonableTarget, Held, Offer, Receiving, Source } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'
import { continues } from './move/judge-handoff.ts'

/** A vault at a place, as the source of a migration. */
export function soupStoreSource(place: {
  readonly vault: ContentId
  readonly label: string
  readonly objects: CasReader & BulkCasReader
  readonly store: SoupStore
}): Source {
  const { vault, label, objects, store } = place
  return {
    vault,
    label,
    objects,
    soup: store.soup(vault),
    keyEvents: (options) => store.tenures.keyEvents(vault, options),
  }
}

/**
 * A place as the target of full migrations: any content store and any soup store. It receives one vault, which ends as
 * `replica`; a vault that was active there and never changed gives way to it.
 */
export function soupStoreTarget(place: {
  readonly label: string
  readonly objects: BulkCas
  readonly store: SoupStore
}): AbandonableTarget {
  const { label, objects, store } = place
  const { tenures } = store

  async function look(vault: ContentId, options?: AbortOptions): Promise<Held> {
    for (const other of await tenures.list(options)) {
      if (other.vault !== vault && !isUnused(other)) throw notEmpty(label, other.vault)
    }
    return { tenure: await tenures.read(vault, options), objects, soup: store.soup(vault) }
  }

  async function receive(offer: Offer, options?: AbortOptions): Promise<Receiving> {
    const { vault, migration } = offer
    const { tenure: found } = await look(vault, options)
    await requireGoingOn(offer, found, options)
    if (found.state !== 'receiving' || found.migration !== migration) await begin(offer, found, options)
    const soup = store.soup(vault)
    return { found, objects, soup, intake: soup, finish: (verified, o) => finish(offer, verified, o) }
  }

  /**
   * Who may write a copy has no say in its keys: those of another vault would count for this one, and what was rotated out would again. A
   * vault of stores that know no keys has no events, and nothing counts for it.
   */
  async function requireGoingOn({ vault, keyEvents }: Offer, found: Tenure, options?: AbortOptions): Promise<void> {
    if (keyEvents.length > 0) {
      const history = verifyKeyHistory(keyEvents.map((bytes) => decodeEnvelope(bytes)))
      if (history.vault !== vault) throw refused(label, found, `its key events are those of the vault ${history.vault}`)
    }
    if (continues(keyEvents, await tenures.keyEvents(vault, options))) return
    throw refused(label, found, 'its key events do not go on from those that are known there')
  }

  async function begin({ vault, migration, keyEvents }: Offer, found: Tenure, options?: AbortOptions): Promise<void> {
    if (!RECEIVABLE.has(found.state)) throw refused(label, found)
    const to = { state: 'receiving', epoch: found.epoch, migration } as const
    const { sequence, ...writing } = found
    // The migration that is shut out may be writing at this moment. What nobody writes has to be what was found.
    const from = found.state === 'receiving' ? writing : { ...writing, sequence }
    // Key events that are there stay until the end, because giving up goes back to them.
    await tenures.transition(vault, from, found.state === 'none' ? { ...to, keyEvents } : to, options)
  }

  async function finish(offer: Offer, verified: number, options?: AbortOptions): Promise<Tenure> {
    const { vault, migration, keyEvents } = offer
    const { before: _, ...tenure } = await tenures.read(vault, options)
    if (!FINISHABLE.has(tenure.state) || tenure.migration !== migration) throw refused(label, tenure)
    if (tenure.sequence !== verified) throw changedSince(label, tenure)
    if (tenure.state === 'replica') return tenure
    await requireGoingOn(offer, tenure, options)
    // Before the end, so that a crash between the two leaves the migration to be finished, not two vaults.
    await giveWay(store, label, vault, options)
    const replica = { ...tenure, state: 'replica' } as const
    try {
      await tenures.transition(vault, tenure, { state: 'replica', epoch: tenure.epoch, keyEvents }, options)
    } catch (error) {
      throw isVaultError(error, 'SOUP_TENURE') ? changedSince(label, tenure, error) : error
    }
    return replica
  }

  async function abandon(vault: ContentId, migration: string, options?: AbortOptions): Promise<void> {
    const found = await tenures.read(vault, options)
    const { before } = found
    if (before === undefined || found.state !== 'receiving' || found.migration !== migration) return
    const { sequence: _, ...standing } = before
    const to = { ...standing, epoch: found.epoch }
    if (before.state === 'none') {
      const { sequence: __, ...writing } = found
      return tenures.transition(vault, writing, to, options)
    }
    const { driver } = found
    const request = { migration, limit: RESTORED_AT_ONCE, ...(driver === undefined ? {} : { driver }) }
    while ((await store.soup(vault).restore(request, options)).remaining > 0);
    // What a run still writes meanwhile moves the sequence, and this is refused.
    await tenures.transition(vault, await tenures.read(vault, options), to, options)
  }

  return { label, look, receive, abandon }
}

const RECEIVABLE: ReadonlySet<string> = new Set(['none', 'receiving', 'replica', 'retired'])
const RESTORED_AT_ONCE = 4_096
const FINISHABLE: ReadonlySet<string> = new Set(['receiving', 'replica'])

/** Never changed, never handed over and never ended: one that was emptied, or came from elsewhere, has a history that somebody may rely on. */
function isUnused({ state, sequence, epoch }: Tenure): boolean {
  return state !== 'ended' && sequence === 0 && epoch === 0
}

/** Of what is so here, there may be nothing elsewhere. */
const OWN: ReadonlySet<string> = new Set(['active', 'ended'])

/** The vaults of a place that make room for the one that comes. Throws `MIGRATION_TARGET_NOT_EMPTY` where one does not. */
export async function requireRoom(
  { label, store }: { readonly label: string; readonly store: SoupStore },
  received: ContentId,
  options?: AbortOptions,
): Promise<readonly Tenure[]> {
  const others = (await store.tenures.list(options)).filter(({ vault, state }) => vault !== received && OWN.has(state))
  const used = others.find((other) => !isUnused(other))
  if (used !== undefined) throw notEmpty(label, used.vault)
  return others
}

/** A vault that was active and never changed makes room for the one that comes, and one that has ended for none. The store itself refuses to let an active vault go that has content by now. */
export async function giveWay(
  store: SoupStore,
  label: string,
  received: ContentId,
  options?: AbortOptions,
): Promise<void> {
  for (const other of await requireRoom({ label, store }, received, options)) {
    try {
      await store.tenures.transition(other.vault, other, { state: 'none', epoch: other.epoch }, options)
    } catch (error) {
      if (isVaultError(error, 'SOUP_TENURE')) throw notEmpty(label, other.vault, error)
      throw error
    }
  }
}

function notEmpty(label: string, vault: ContentId, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_NOT_EMPTY',
    message: `The target ${label} holds the vault ${vault}, which has been used. A place receives one vault: choose another target.`,
    details: { vault },
    cause,
  })
}

function changedSince(label: string, { vault, migration }: Tenure, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_INCOMPLETE',
    message: `Another run changed the vault ${vault} at the target ${label} after this one had verified it. What was sent stays: run again, one run at a time.`,
    details: { vault, migration },
    cause,
  })
}

function refused(label: string, tenure: Tenure, why?: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The vault ${tenure.vault} is ${tenure.state} at the target ${label}${tenure.migration === undefined ? '' : ` (migration ${tenure.migration})`} and cannot be received there now${why === undefined ? '' : `: ${why}`}.`,
    details: { vault: tenure.vault, state: tenure.state },
  })
}
