import type { AbortOptions, ContentId, KeyId, Random } from '@vault/core'
import { toHex } from '@vault/core'
import type { HeldView } from '@vault/migration/http'
import type { SoupReader, SoupView } from '@vault/soup'
import { statementOf } from '@vault/transfer'
import type { ServerLimits } from './limits.ts'
import { refusal } from './refusal.ts'

/** Whose a view is, and of which vault: leave was asked for that one. */
interface Holder {
  readonly owner: KeyId
  readonly vault: ContentId
}

interface Held extends Holder {
  readonly view: SoupView
  readonly release: () => void
  timer: NodeJS.Timeout
}

/** Moments of vaults that are held open for clients, which read them request by request. */
export class HeldViews {
  readonly #limits: Pick<ServerLimits, 'viewMs' | 'held'>
  readonly #random: Random
  readonly #held = new Map<string, Held>()

  constructor(limits: Pick<ServerLimits, 'viewMs' | 'held'>, random: Random) {
    this.#limits = limits
    this.#random = random
  }

  /** Holds a moment open until it is let go, or nobody has read it for a while. Throws `HTTP_LIMIT`. */
  async open(soup: SoupReader, { owner, vault }: Holder, options: AbortOptions): Promise<HeldView> {
    this.#requireRoom(owner)
    // What is hashed here need not travel to be hashed there.
    await statementOf(soup, options)
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const view = await new Promise<SoupView>((resolve, reject) => {
      soup
        .view(async (opened) => {
          resolve(opened)
          await released
        }, options)
        .catch(reject)
    })
    const name = toHex(this.#random(16))
    const timer = setTimeout(() => this.#end(name), this.#limits.viewMs)
    this.#held.set(name, { owner, vault, view, release, timer })
    const { sequence, counts } = view
    return { view: name, sequence, counts }
  }

  /** The view of this name. Throws `HTTP_SESSION`. */
  use(name: string, holder: Holder): SoupView {
    const held = this.#of(name, holder)
    if (held === undefined) throw refusal('HTTP_SESSION', 'The view was let go, because nobody read it. Open it again.')
    held.timer.refresh()
    return held.view
  }

  close(name: string, holder: Holder): void {
    if (this.#of(name, holder) !== undefined) this.#end(name)
  }

  closeAll(): void {
    for (const name of [...this.#held.keys()]) this.#end(name)
  }

  #of(name: string, { owner, vault }: Holder): Held | undefined {
    const held = this.#held.get(name)
    return held?.owner === owner && held.vault === vault ? held : undefined
  }

  #end(name: string): void {
    const held = this.#held.get(name)
    if (held === undefined) return
    this.#held.delete(name)
    clearTimeout(held.timer)
    held.release()
  }

  #requireRoom(owner: KeyId): void {
    const { held } = this.#limits
    const theirs = [...this.#held.values()].filter((each) => each.owner === owner)
    if (theirs.length >= held) throw refusal('HTTP_LIMIT', `${held} views are held for this key; let one go.`)
  }
}
