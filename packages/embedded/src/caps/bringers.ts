import {
  type AbortOptions,
  decode,
  decodeEnvelope,
  type KeyEventContext,
  type KeyId,
  utf8,
  type VaultId,
} from '@vault/core'
import { changeRecord, type Tenure } from '@vault/soup'
import type { Place } from '../place.ts'

// Who brings a vault is kept with the migration by which it does: a request that is refused, and another migration, which the vault
// does not come by, change nothing of who may end the one that it does come by.

type Here = Pick<Place, 'info' | 'soups'>

/** In these, what the vault came by last is the last migration of its tenure. Later ones may have begun to take it away. */
const COMING: ReadonlySet<Tenure['state']> = new Set(['receiving', 'prepared', 'replica'])

/**
 * Remembers which key brings a vault to this place by a migration, before the vault comes by it: a crash between the two would leave one
 * that nobody may end. The first that brought it stays. Durable when it resolves.
 */
export async function keepBringer(
  place: Here,
  { vault, key, migration }: { readonly vault: VaultId; readonly key: KeyId; readonly migration: string },
  options: AbortOptions,
): Promise<void> {
  const { records, tenures } = place.soups
  const isBrought = (await broughtBy(place, await tenures.read(vault, options), options)) === migration
  const name = keyOf(vault, migration)
  await changeRecord(
    records,
    name,
    (before) => (before === undefined || (!isBrought && textOf(before) !== key) ? utf8(key) : undefined),
    options,
  )
}

/** Whether it was this key that brought the vault here last. */
export async function isBringer(place: Here, tenure: Tenure, key: KeyId, options: AbortOptions): Promise<boolean> {
  const migration = await broughtBy(place, tenure, options)
  if (migration === undefined) return false
  const record = await place.soups.records.read(keyOf(tenure.vault, migration), options)
  return record !== undefined && textOf(record.bytes) === key
}

/** The migration by which the vault comes, or came here last. */
async function broughtBy(
  { info, soups }: Here,
  { vault, state, migration }: Tenure,
  options: AbortOptions,
): Promise<string | undefined> {
  if (state === 'none') return undefined
  if (COMING.has(state)) return migration
  const events = await soups.tenures.keyEvents(vault, options)
  return events
    .map((bytes) => (decode(decodeEnvelope(bytes).payload) as { readonly context?: KeyEventContext }).context)
    .findLast((context) => context?.instance === info.instance)?.migration
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

function keyOf(vault: VaultId, migration: string): string {
  return `brought-by/${vault}/${migration}`
}
