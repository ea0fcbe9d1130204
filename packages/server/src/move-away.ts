import { type AbortOptions, type Authorize, decodeEnvelope, type KeyId, VaultError } from '@vault/core'
import {
  moveSourceOf,
  plannedKeys,
  proofsOf,
  publishEvents,
  type SeatOptions,
  sourceOf,
  type Vault,
} from '@vault/embedded'
import {
  arrivedMove,
  cleanTarget,
  giveUpMove,
  isEnded,
  listMoves,
  type MigrationErrorCode,
  type MoveEvent,
  type MoveParts,
  type MoveState,
  moveVault,
  type Plan,
  parseAcceptance,
  planMigration,
  requireArrived,
  requireNotArrived,
  requireTakenBack,
  resumeMove,
  rollBackMove,
} from '@vault/migration'
import {
  type AbsenceEvent,
  type HttpOptions,
  httpTarget,
  type MoveRequest,
  type TakeBackRequest,
  timeoutsWithin,
} from '@vault/migration/http'
import { type MoveDestination, nameOf } from './move-destination.ts'
import type { ReversePool } from './reverse-pool.ts'

/** How a place takes part in moves of its vaults to other servers. */
export interface Departure {
  readonly seat: SeatOptions
  /** As whom the other place knows this one, and how much goes to it. */
  readonly reach: Pick<HttpOptions, 'place' | 'bytesPerSecond'>
  /** Connections of places that offer them. */
  readonly reversed: ReversePool
}

/** Where a move goes, on whose authority, and who is told of it. */
export interface Leading {
  readonly to: MoveDestination
  readonly authorize: Authorize
  readonly tell: (event: MoveEvent | AbsenceEvent) => void
  readonly options: AbortOptions
}

/** Moves a vault to another server, or goes on with that, or with taking it back; where it has ended, says how. */
export async function moveAway(
  vault: Vault,
  request: Omit<MoveRequest, 'to'>,
  { to, authorize, tell, options }: Leading,
  departure: Departure,
): Promise<void> {
  options.signal?.throwIfAborted()
  const moves = await movesOf(vault, options)
  const open = moves.find(({ phase }) => !isEnded(phase))
  const source = await moveSource(vault, departure, options)
  // Its answer may have been lost.
  const arrived = open === undefined ? await arrivedMove(source, async () => to, options) : undefined
  await using target = await reached(vault, to, departure, { ...options, asked: request, absent: tell })
  if (arrived !== undefined) {
    await requireArrived(arrived, target, options)
    return tell({ type: 'moved', state: arrived })
  }
  const parts: MoveParts = {
    source,
    target,
    authorize,
    ...addressOf(to),
    allowBroken: request.allowBroken,
    reread: request.reread,
    ...(request.live && { live: request.live }),
  }
  // A passphrase that this server has not, or a wrong one, is said before the target has keys.
  if (open === undefined || open.next === 'accept') await source.unlock(options)
  if (open === undefined) await cleanTarget(parts, options)
  const { migration, events } = await begin(vault, open, parts, { ...options, reason: request.reason })
  for await (const event of publishEvents(migration, events)) tell(event)
}

/** What moving a vault to another server would do: that is looked at, and nothing is changed. Throws what `requireNotArrived` and `planMigration` throw. */
export async function planAway(
  vault: Vault,
  { reason }: Pick<MoveRequest, 'reason'>,
  { to, authorize, options }: Omit<Leading, 'tell'>,
  departure: Departure,
): Promise<Plan> {
  const source = { ...sourceOf(vault), instance: vault.place.info.instance }
  await using target = await reached(vault, to, departure, options)
  await requireNotArrived({ soup: vault.soup, records: vault.place.soups.records, vault: vault.id }, target, options)
  const handoff = await plannedKeys(vault, options)
  return await planMigration({ source, target, authorize }, { handoff, ...because(reason), ...options })
}

/**
 * The migration that is meant where one is to be taken back: the named one, or that which has not ended, or by which the vault left, or the
 * latest. Throws `MIGRATION_UNKNOWN`.
 */
export async function meantMigration(vault: Vault, named: string | null, options: AbortOptions): Promise<string> {
  const moves = await movesOf(vault, options)
  const { state, migration: left } = await vault.soup.tenure(options)
  const open = moves.find(({ phase }) => !isEnded(phase))?.migration
  const migration = named ?? open ?? (state === 'retired' ? left : undefined) ?? moves[0]?.migration
  if (migration === undefined) throw neverMoved(vault)
  if (!moves.some((move) => move.migration === migration)) throw unknown(vault, migration)
  return migration
}

/** Takes a move back that left from here; where that has been done, says so. Throws what `rollBackMove` throws. */
export async function takeMoveBack(
  vault: Vault,
  { migration, reason, ...asked }: { readonly migration: string } & Pick<TakeBackRequest, 'reason' | 'patience'>,
  { to, authorize, tell, options }: Leading,
  departure: Departure,
): Promise<void> {
  const source = await moveSource(vault, departure, options)
  await using target = await reached(vault, to, departure, { ...options, asked, absent: tell })
  const parts: MoveParts = { source, target, authorize, ...addressOf(to) }
  const events = rollBackMove(migration, parts, { ...options, ...(reason !== null && { reason }) })
  for await (const event of publishEvents(migration, events)) {
    if (event.type === 'moved') requireTakenBack(event.state, nameOf(to))
    tell(event)
  }
}

/** Takes a move back that left from here, whose target is gone. Throws what `giveUpMove` throws. */
export async function giveMoveUp(
  vault: Vault,
  { migration, reason }: { readonly migration: string } & Pick<TakeBackRequest, 'reason'>,
  { to, authorize, tell, options }: Leading,
  departure: Departure,
): Promise<void> {
  const source = await moveSource(vault, departure, options)
  const parts = { source, authorize, to: to.key }
  const events = giveUpMove(migration, parts, { ...options, ...(reason !== null && { reason }) })
  for await (const event of publishEvents(migration, events)) tell(event)
}

/** The key of the place that has accepted to take the vault. */
export function takerOf(acceptance: MoveState['acceptance']): KeyId | undefined {
  return acceptance === null ? undefined : parseAcceptance(decodeEnvelope(acceptance).payload).place
}

export async function movesOf({ id, place }: Vault, options: AbortOptions): Promise<readonly MoveState[]> {
  return await listMoves(place.soups.records, { ...options, vault: id })
}

async function moveSource(vault: Vault, { seat }: Departure, options: AbortOptions) {
  return await moveSourceOf(vault, { ...seat, actor: await vault.actorFor('migrate', options) })
}

/** Where clients find the vault then, as far as its new place has an address. */
function addressOf({ url }: MoveDestination): Pick<MoveParts, 'address'> {
  return url === undefined ? {} : { address: url }
}

// What requests name that go to a place without an address (RFC 6761, 6.4).
const NO_ADDRESS = 'https://reversed.invalid'
// Whoever may have a vault moved does not keep this server trying for days.
const MOST_PATIENCE = 3_600_000

/** The other server, which is shown what the vault grants this place; no more goes there in a second than was asked for. */
async function reached(
  vault: Vault,
  { url, key }: MoveDestination,
  { reach, reversed }: Departure,
  {
    asked = {},
    ...options
  }: AbortOptions &
    Pick<HttpOptions, 'absent'> & { readonly asked?: Partial<Pick<MoveRequest, 'bytesPerSecond' | 'patience'>> },
) {
  const { bytesPerSecond = null, patience } = asked
  return await httpTarget(url ?? NO_ADDRESS, {
    vault: vault.id,
    peerKey: key,
    proofs: await proofsOf(vault, 'write', options),
    ...reach,
    ...(url === undefined && { reverse: reversed.of(key) }),
    ...slower(reach.bytesPerSecond, bytesPerSecond),
    ...(patience !== undefined && { timeouts: timeoutsWithin(Math.min(patience, MOST_PATIENCE)) }),
    ...options,
  })
}

async function begin(
  vault: Vault,
  open: MoveState | undefined,
  parts: MoveParts,
  { reason, ...options }: AbortOptions & { readonly reason: MoveRequest['reason'] | undefined },
): Promise<{ readonly migration: string; readonly events: AsyncIterable<MoveEvent> }> {
  if (open !== undefined) {
    const { migration } = open
    return { migration, events: resumeMove(migration, parts, options) }
  }
  const planned = { handoff: await plannedKeys(vault, options), ...because(reason), ...options }
  const plan = await planMigration(parts as Parameters<typeof planMigration>[0], planned)
  return { migration: plan.migration_id, events: moveVault(plan, parts, options) }
}

function because(reason: MoveRequest['reason'] | undefined): Pick<MoveRequest, 'reason'> {
  return reason === undefined ? {} : { reason }
}

function slower(own: number | undefined, asked: number | null): Pick<HttpOptions, 'bytesPerSecond'> {
  const rates = [own, asked].filter((rate) => rate != null)
  return rates.length === 0 ? {} : { bytesPerSecond: Math.min(...rates) }
}

function neverMoved({ id }: Vault): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_UNKNOWN',
    message: `No checkpoint found: the vault ${id} has not moved from here, nor begun to.`,
    details: { vault: id },
  })
}

/** Migrations of other vaults here are none of the client's. */
function unknown({ id }: Vault, migration: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_UNKNOWN',
    message: `No checkpoint found: this place has no record of a migration ${migration} of the vault ${id}.`,
    details: { vault: id, migration },
  })
}
