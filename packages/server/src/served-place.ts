import type { Clock, ContentId, KeyId, Random, VaultId } from '@vault/core'
import { type Place, placeName, type SeatOptions, seatOf, sourceAt, targetAt } from '@vault/embedded'
import type { AbandonableTarget, ProvingTarget, Seat, TrailSource, TrailTarget } from '@vault/migration'
import { seatTarget } from '@vault/migration'
import { HeldViews } from './held-views.ts'
import type { ServerLimits } from './limits.ts'
import { Sessions } from './sessions.ts'
import { StoredBlocks } from './stored-blocks.ts'

// Keys whose blocks are remembered until they come under charge.
const MAX_WRITERS = 64

/** A place with all that is kept for those who ask it over the wire. */
export class ServedPlace {
  readonly place: Place
  readonly seat: Seat
  readonly label: string
  readonly move: ProvingTarget
  readonly copy: AbandonableTarget & TrailTarget
  readonly views: HeldViews
  readonly sessions: Sessions
  readonly #stored = new Map<string, StoredBlocks>()

  private constructor(place: Place, seat: Seat, { limits, random }: { limits: ServerLimits; random: Random }) {
    this.place = place
    this.seat = seat
    this.label = placeName(place.dir)
    this.move = seatTarget(seat)
    this.copy = targetAt(place)
    this.views = new HeldViews(limits, random)
    this.sessions = new Sessions(limits.held, random)
  }

  static async open(
    place: Place,
    options: {
      readonly limits: ServerLimits
      readonly random: Random
      readonly clock: Clock
      readonly seat: SeatOptions
    },
  ): Promise<ServedPlace> {
    const { clock, random } = options
    return new ServedPlace(place, await seatOf(place, { clock, random, ...options.seat }), options)
  }

  source(vault: VaultId): TrailSource {
    return sourceAt(this.place, vault)
  }

  /** What a client has stored of a vault and not yet brought under charge. */
  storedBy(owner: KeyId, vault: ContentId): StoredBlocks {
    const name = `${owner} ${vault}`
    const stored = this.#stored.get(name) ?? new StoredBlocks(this.place.objects)
    this.#stored.delete(name)
    this.#stored.set(name, stored)
    for (const oldest of this.#stored.keys()) {
      if (this.#stored.size <= MAX_WRITERS) break
      this.#stored.delete(oldest)
    }
    return stored
  }
}
