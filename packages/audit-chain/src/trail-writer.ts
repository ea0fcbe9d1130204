import type { AbortOptions } from '@vault/core'
import { equalBytes, isVaultError } from '@vault/core'
import { AuthenticTiles } from './authentic-tiles.ts'
import { signCheckpoint } from './checkpoint.ts'
import { sealEntry } from './entry.ts'
import type { LogFile, LogStore } from './log-store.ts'
import { isStagingLogStore } from './log-store.ts'
import type { NoteSigner } from './note-key.ts'
import { removeSuperseded, sweepPartials } from './superseded-files.ts'
import { TILE_WIDTH } from './tile.ts'
import type { TrailHead } from './trail-head.ts'
import { TreeBuilder } from './tree-builder.ts'

/** Bytes of files that are written together: a long extension is not held in memory twice. */
const MAX_GROUP_LENGTH = 8 * 1024 * 1024

/**
 * Appends entries to the log of a store: files of the tree first, read back, then the signature, then the head, which moves
 * when all of that is durable. The files of a tree follow from its entries, so what a crash leaves behind is what is written again.
 */
export class TrailWriter {
  readonly #store: LogStore
  readonly #origin: string
  readonly #signer: NoteSigner
  /** Stands at the head that was published last; `undefined` where that is not sure. */
  #builder: TreeBuilder | undefined
  #unsure = false

  constructor(store: LogStore, origin: string, signer: NoteSigner) {
    this.#store = store
    this.#origin = origin
    this.#signer = signer
  }

  /** Whether an append failed in a way that leaves open what the head is. */
  get unsure(): boolean {
    return this.#unsure
  }

  /** What is known of the end of the log comes from a head that has been loaded since. */
  forget(): void {
    this.#builder = undefined
    this.#unsure = false
  }

  /** The new head with these events; `undefined` where the store's head is no longer the given one, and nothing was published. */
  async append(head: TrailHead, events: readonly Uint8Array[], options?: AbortOptions): Promise<TrailHead | undefined> {
    const builder = this.#builder ?? (await TreeBuilder.load(head.tiles, options))
    this.#builder = undefined
    this.#unsure = true
    const { size: from } = builder
    await this.#write(builder, events, options)
    const tiles = await this.#readBack(head, builder, options)
    if (tiles === undefined) return undefined
    const { size, root } = tiles
    const checkpoint = { origin: this.#origin, size, root, extensions: [] }
    const note = await signCheckpoint(checkpoint, [this.#signer], options)
    if (!(await this.#store.swapHead(head.note, note, size, options))) return undefined
    this.#builder = builder
    this.#unsure = false
    // The entries are published: what stays behind after a failure is harmless.
    await removeSuperseded(this.#store, from, size)
    return { note, tiles }
  }

  /** Removes what a crash has left beside the last full tiles. */
  async sweep(size: number, options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    await sweepPartials(this.#store, size)
  }

  async #write(builder: TreeBuilder, events: readonly Uint8Array[], options?: AbortOptions): Promise<void> {
    let files: LogFile[] = []
    let length = 0
    for (const event of events) {
      for (const file of builder.append(sealEntry(event, builder.size, builder.last))) {
        files.push(file)
        length += file.bytes.length
      }
      if (length < MAX_GROUP_LENGTH) continue
      await this.#put(files, options)
      files = []
      length = 0
    }
    await this.#put([...files, ...builder.partial()], options)
  }

  /** Files that are durable when the head moves: nobody has a checkpoint that needs them before. */
  async #put(files: readonly LogFile[], options?: AbortOptions): Promise<void> {
    if (isStagingLogStore(this.#store)) await this.#store.stage(files, options)
    else await this.#store.write(files, options)
  }

  /**
   * The new tree as the store gives it back: every new entry and tile hashed again up to the root that is about to be signed. One bit that
   * flips before the signature would otherwise be in a tree that nobody can ever verify. `undefined` where another process
   * has published, and removed partial files, meanwhile.
   */
  async #readBack(head: TrailHead, builder: TreeBuilder, options?: AbortOptions): Promise<AuthenticTiles | undefined> {
    const { size } = builder
    try {
      const grown = { size, root: builder.root(), earlier: head.tiles }
      const tiles = await AuthenticTiles.load(this.#store, grown, options)
      const first = Math.floor(head.tiles.size / TILE_WIDTH)
      for (let index = first; index * TILE_WIDTH < size; index++) await tiles.bundle(index, options)
      return tiles
    } catch (error) {
      if (!isVaultError(error, 'AUDIT_TAMPERED') && !isVaultError(error, 'AUDIT_MISSING')) throw error
      const now = await this.#store.head(options)
      if (now !== undefined && !(head.note !== undefined && equalBytes(now, head.note))) return undefined
      throw error
    }
  }
}
