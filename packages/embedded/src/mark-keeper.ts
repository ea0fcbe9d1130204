import type { TrailReader } from '@vault/audit-chain'
import type { Clock, VaultId } from '@vault/core'
import type { SoupReader } from '@vault/soup'
import type { Marks, Seen } from './marks.ts'

/** Milliseconds between two writings. */
const PAUSE = 1000

/** Keeps the mark of an open vault up with its log: at most once a second, and when it is closed. */
export class MarkKeeper {
  readonly #parts: { readonly marks: Marks; readonly vault: VaultId; readonly soup: SoupReader; readonly clock: Clock }
  #written = Number.NEGATIVE_INFINITY
  #unwritten: Pick<TrailReader, 'size' | 'root' | 'checkpoint'> | undefined

  constructor(parts: {
    readonly marks: Marks
    readonly vault: VaultId
    readonly soup: SoupReader
    readonly clock: Clock
  }) {
    this.#parts = parts
  }

  /** The log is as far as this. */
  async saw({ size, root, checkpoint }: Pick<TrailReader, 'size' | 'root' | 'checkpoint'>): Promise<void> {
    this.#unwritten = { size, root, checkpoint }
    if (this.#parts.clock().getTime() - this.#written >= PAUSE) await this.close()
  }

  /** Writes what was seen last, unless that is done. */
  async close(): Promise<void> {
    if (this.#unwritten === undefined) return
    const { size, root, checkpoint } = this.#unwritten
    this.#unwritten = undefined
    const { marks, vault, soup, clock } = this.#parts
    this.#written = clock().getTime()
    const { epoch, sequence } = await soup.tenure()
    const seen: Seen = { mark: { epoch, sequence, size, root }, checkpoint }
    await marks.advance(vault, seen)
  }
}
