import type { AbortOptions, Bytes, Clock, ContentId, KeyId, Random, VaultId } from '@vault/core'
import { type Place, placeName, type SeatOptions, seatOf, sourceAt, targetAt } from '@vault/embedded'
import type { AbandonableTarget, ProvingTarget, RehashRequest, Seat, TrailSource, TrailTarget } from '@vault/migration'
import { rehashObjects, seatTarget } from '@vault/migration'
import { HeldViews } from './held-views.ts'
import type { ServerLimits } from './limits.ts'
import { Sessions } from './sessions.ts'
import { StoredBlocks } from './stored-blocks.ts'

// Keys whose blocks are remembered until they come under charge.
const MAX_WRITERS = 64

interface Parts {
  readonly limits: ServerLimits
  readonly random: Random
  readonly clock: Clock
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
  readonly #clock: Clock
  readonly #stored = new Map<string, StoredBlocks>()

  private constructor(place: Place, seat: Seat, { limits, random, clock }: Parts) {
    this.place = place
    this.#clock = clock
    this.seat = seat
    this.label = placeName(place.dir)
    this.move = seatTarget(seat)
    this.copy = targetAt(place)
    this.views = new HeldViews(limits, random)
    this.sessions = new Sessions(limits.held, random)
  }

  static async open(place: Place, options: Parts & { readonly seat: SeatOptions }): Promise<ServedPlace> {
    const { clock, random } = options
    return new ServedPlace(place, await seatOf(place, { clock, random, ...options.seat }), options)
  }

  /** What is in the store by now, and not what was acknowledged. */
  rehash(request: RehashRequest, options: AbortOptions): Promise<Bytes | undefined> {
    const { place, seat } = this
    return rehashObjects({ objects: place.objects, key: seat.place, clock: this.#clock }, request, options)
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
