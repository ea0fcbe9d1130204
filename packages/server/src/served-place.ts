import {
  type AbortOptions,
  type Bytes,
  type Clock,
  type ContentId,
  type KeyId,
  type Random,
  Recent,
  type VaultId,
} from '@vault/core'
import {
  moveTargetAt,
  type Place,
  partTargetOf,
  placeName,
  type SeatOptions,
  seatOf,
  sourceAt,
  targetAt,
} from '@vault/embedded'
import type {
  AbandonableTarget,
  ProvingTarget,
  Receiving,
  RehashRequest,
  Seat,
  SignedTrail,
  TrailSource,
  TrailTarget,
} from '@vault/migration'
import { ownObjects, rehashObjects } from '@vault/migration'
import { HeldViews } from './held-views.ts'
import type { ServerLimits } from './limits.ts'
import type { MoveDestination } from './move-destination.ts'
import { MovesAway } from './moves-away.ts'
import { OpenVaults } from './open-vaults.ts'
import { refusal } from './refusal.ts'
import { ReversePool } from './reverse-pool.ts'
import { Sessions } from './sessions.ts'
import { StoredBlocks } from './stored-blocks.ts'

// Keys whose blocks are remembered until they come under charge.
const MAX_WRITERS = 64

interface Parts {
  readonly limits: ServerLimits
  readonly random: Random
  readonly clock: Clock
  /** Where vaults may move to from here. */
  readonly moveTo?: readonly MoveDestination[]
  /** How much goes there in a second. */
  readonly bytesPerSecond?: number | undefined
}

/** A place with all that is kept for those who ask it over the wire. */
export class ServedPlace {
  readonly place: Place
  readonly seat: Seat
  readonly label: string
  readonly move: ProvingTarget
  readonly copy: AbandonableTarget & TrailTarget
  readonly views: HeldViews
  readonly sessions: Sessions
  readonly away: MovesAway
  readonly reversed: ReversePool = new ReversePool()
  readonly clock: Clock
  readonly #vaults: OpenVaults
  readonly #trails = new Recent<SignedTrail>(MAX_WRITERS)
  readonly #stored = new Recent<StoredBlocks>(MAX_WRITERS)

  private constructor(
    place: Place,
    seat: Seat,
    { limits, random, clock, moveTo = [], bytesPerSecond, seat: keys }: Parts & { readonly seat: SeatOptions },
  ) {
    this.place = place
    this.clock = clock
    this.seat = seat
    this.#vaults = new OpenVaults(place.dir)
    this.label = placeName(place.dir)
    this.move = moveTargetAt(place, seat)
    this.copy = targetAt(place)
    this.views = new HeldViews(limits, random)
    this.sessions = new Sessions(limits.held, random)
    this.away = new MovesAway({
      destinations: moveTo,
      seat: { clock, random, ...keys },
      reversed: this.reversed,
      reach: { place: seat.place, ...(bytesPerSecond !== undefined && { bytesPerSecond }) },
      use: (vault, by, run) => this.#vaults.use(vault, by, run),
    })
  }

  static async open(place: Place, options: Parts & { readonly seat: SeatOptions }): Promise<ServedPlace> {
    const { clock, random } = options
    return new ServedPlace(place, await seatOf(place, { clock, random, ...options.seat }), options)
  }

  /** What is in the store by now, and not what was acknowledged. */
  rehash(request: RehashRequest, options: AbortOptions): Promise<Bytes | undefined> {
    const { place, seat } = this
    return rehashObjects({ objects: place.objects, key: seat.place, clock: this.clock }, request, options)
  }

  /** An active vault here, opened for a part of another one: what comes is in its audit log in the name of the key that brings it. */
  async receivePart(
    { vault, from, migration, by }: { vault: VaultId; from: VaultId; migration: string; by: KeyId },
    options: AbortOptions,
  ): Promise<Receiving> {
    const soup = this.place.soups.soup(vault)
    const opened = <Result>(run: (receiving: Receiving) => Promise<Result>, abort?: AbortOptions) =>
      this.#vaults.use(vault, by, async (each) => {
        return await run(await partTargetOf(each).receive({ vault: from, migration, keyEvents: [] }, abort))
      })
    const found = await opened(async (receiving) => receiving.found, options)
    const receive: Receiving['intake']['receive'] = async (batch, abort) => {
      // A run never asks for it, so whoever does is no run.
      if ((batch.objects?.remove?.length ?? 0) + (batch.entries?.remove?.length ?? 0) > 0) {
        throw refusal('HTTP_REQUEST_INVALID', 'A part that comes into a vault takes nothing out of it.')
      }
      return await opened(async (receiving) => {
        if (receiving.found.epoch === found.epoch) return await receiving.intake.receive(batch, abort)
        throw refusal('HTTP_SESSION', 'The vault has been away since it was opened for this part. Run again.')
      }, abort)
    }
    const finish: Receiving['finish'] = (verified, abort) =>
      opened((receiving) => receiving.finish(verified, abort), abort)
    return { found, objects: this.place.objects, soup, intake: { receive }, finish }
  }

  /** Ends what is open beside the place itself. */
  async close(): Promise<void> {
    await this.#vaults.close()
  }

  /** The trail that was given to a client last, whose files it asks for: opened once, not with each of them. */
  async trail(
    vault: VaultId,
    key: KeyId,
    options: AbortOptions,
    { anew }: { anew: boolean },
  ): Promise<SignedTrail | undefined> {
    const name = `${key} ${vault}`
    const known = anew ? undefined : this.#trails.get(name)
    const trail = known ?? (await this.source(vault).trail(options))
    if (trail === undefined) this.#trails.delete(name)
    else this.#trails.keep(name, trail)
    return trail
  }

  source(vault: VaultId): TrailSource {
    return sourceAt(this.place, vault)
  }

  /** What a client has stored of a vault and not yet brought under charge. */
  storedBy(owner: KeyId, vault: ContentId): StoredBlocks {
    const name = `${owner} ${vault}`
    const stored = this.#stored.get(name) ?? this.#storedIn(vault)
    this.#stored.keep(name, stored)
    return stored
  }

  #storedIn(vault: ContentId): StoredBlocks {
    const soup = this.place.soups.soup(vault)
    return new StoredBlocks(this.place.objects, (ids, options) => ownObjects(soup, ids, options))
  }
}
