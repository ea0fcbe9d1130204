import type { AbortOptions, Bytes } from '@vault/core'
import { equalBytes, isVaultError } from '@vault/core'
import { leafHash } from '@vault/merkle'
import { AuthenticTiles } from './authentic-tiles.ts'
import { checkEntryAt } from './check-entry.ts'
import { parseDecimal } from './decimal.ts'
import { decodeEntryBundle } from './entry-bundle.ts'
import type { SignedNote } from './heal-notes.ts'
import type { StoredLog } from './log-store.ts'
import { entriesPath, TILE_WIDTH } from './tile.ts'
import type { LogIdentity } from './trail-head.ts'
import { openHead } from './trail-head.ts'

/** The entries of one bundle as they were put together. */
export interface HealedBundle {
  readonly index: number
  /** `undefined`: nobody has it. */
  readonly entries: readonly (Bytes | undefined)[]
  /** The signed one where a sound tile gives it, else that of the entry; {@link UNKNOWN} where there is neither. */
  readonly hashes: readonly Bytes[]
}

/** Stands for a hash that nobody knows: no entry has it. */
export const UNKNOWN: Bytes = new Uint8Array(32)

/** Copies of a log, of which each entry is taken from the first that has the right one. */
export class HealSources {
  readonly #logs: readonly StoredLog[]
  /** Trees under the signed root, as far as the tiles of a copy give one. */
  readonly #trees: readonly AuthenticTiles[]

  private constructor(logs: readonly StoredLog[], trees: readonly AuthenticTiles[]) {
    this.#logs = logs
    this.#trees = trees
  }

  static async load(
    logs: readonly StoredLog[],
    { size, root }: SignedNote,
    identity: LogIdentity,
    options: AbortOptions,
  ): Promise<HealSources> {
    const trees: AuthenticTiles[] = []
    for (const log of logs) {
      const own = await attempt(() => AuthenticTiles.load(log, { size, root }, options))
      // A copy that is further may not have the partial tiles of this size any more.
      const tree = own ?? (await attempt(() => furtherTree(log, { size, root }, identity, options)))
      if (tree !== undefined) trees.push(tree)
    }
    return new HealSources(logs, trees)
  }

  async *bundles(size: number, { signal }: AbortOptions): AsyncGenerator<HealedBundle> {
    let prev: Bytes | null | undefined = null
    for (let index = 0; index * TILE_WIDTH < size; index++) {
      signal?.throwIfAborted()
      const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH)
      const signed = await this.#signedHashes(index, width, { signal })
      const copies = await this.#copies(index, width, { signal })
      const entries: (Bytes | undefined)[] = []
      const hashes: Bytes[] = []
      for (let i = 0; i < width; i++) {
        const before: Bytes | null | undefined = prev
        const entry = copies
          .flatMap((copy) => copy[i] ?? [])
          .find((bytes) => {
            const wanted = signed?.[i]
            if (wanted !== undefined) return equalBytes(leafHash(bytes), wanted)
            return checkEntryAt(index * TILE_WIDTH + i, bytes, before) === undefined
          })
        const hash: Bytes = signed?.[i] ?? (entry === undefined ? UNKNOWN : leafHash(entry))
        entries.push(entry)
        hashes.push(hash)
        prev = hash === UNKNOWN ? undefined : hash
      }
      yield { index, entries, hashes }
    }
  }

  async #signedHashes(index: number, width: number, options: AbortOptions): Promise<readonly Bytes[] | undefined> {
    for (const tree of this.#trees) {
      const tile = await attempt(() => tree.hashes(0, index, options))
      if (tile !== undefined) return Array.from({ length: width }, (_, i) => tile.at(i))
    }
    return undefined
  }

  /** What each file that has entries of a bundle gives; the wanted one, the full one and the partial ones of every copy. */
  async #copies(index: number, width: number, options: AbortOptions): Promise<readonly (readonly Bytes[])[]> {
    const copies: (readonly Bytes[])[] = []
    const full = entriesPath(index)
    for (const log of this.#logs) {
      const wanted = entriesPath(index, width)
      const partial = (await log.list(`${full}.p`, options))
        .flatMap((name) => parseDecimal(name) ?? [])
        .filter((other) => other > 0 && other < TILE_WIDTH)
        .map((other) => entriesPath(index, other))
      for (const name of new Set([wanted, full, ...partial])) {
        const bytes = await log.read(name, options)
        const entries = bytes && (await attempt(async () => decodeEntryBundle(bytes)))
        if (entries !== undefined) copies.push(entries)
      }
    }
    return copies
  }
}

/** The tree of a copy's own head, where it continues the one that is wanted. */
async function furtherTree(
  log: StoredLog,
  { size, root }: Pick<SignedNote, 'size' | 'root'>,
  identity: LogIdentity,
  options: AbortOptions,
): Promise<AuthenticTiles | undefined> {
  const { tiles } = await openHead(log, await log.head(options), identity, options)
  if (tiles.size <= size || !equalBytes(await tiles.rootAt(size, options), root)) return undefined
  return tiles
}

/** `undefined` for what is wrong with a copy; a disk that refuses is no damage. */
async function attempt<Result>(run: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await run()
  } catch (error) {
    if (!isVaultError(error) || error.code === 'AUDIT_READ_FAILED') throw error
    return undefined
  }
}
