import type { AbortOptions, Bytes } from '@vault/core'
import { copyBytes, equalBytes, isVaultError } from '@vault/core'
import { EMPTY_ROOT } from '@vault/merkle'
import type { AuthenticBundle } from './authentic-tiles.ts'
import { AuthenticTiles } from './authentic-tiles.ts'
import { checkEntryAt } from './check-entry.ts'
import { openCheckpoint } from './checkpoint.ts'
import { invalidCheckpoint } from './error.ts'
import type { LogReader, LogStore } from './log-store.ts'
import { isStagingLogStore } from './log-store.ts'
import { removeSuperseded } from './superseded-files.ts'
import { entriesPath, TILE_WIDTH } from './tile.ts'
import type { Head } from './trail.ts'
import { tampered, trailError } from './trail-error.ts'
import type { LogIdentity } from './trail-head.ts'
import { openHead } from './trail-head.ts'
import { TreeBuilder } from './tree-builder.ts'

/** What is copied, and up to where. */
export interface ImportOptions extends LogIdentity, AbortOptions {
  /** Where the files come from; nothing that it gives is trusted. */
  readonly from: LogReader
  readonly to: LogStore
  /** The signed note to reach. */
  readonly checkpoint: Uint8Array
  /** Entries that are taken at most; without it as many as the checkpoint says. */
  readonly maxSize?: number
  /**
   * Goes on behind the head of the store, and neither reads nor writes what is before it: for whoever has imported that with this call
   * before, and knows that nobody else writes there. Default: all of it is hashed again.
   */
  readonly goOn?: boolean
}

/** How far an import has come. */
export interface ImportStep {
  /** Entries from the beginning on that are in the store, authentic and, but for the last package, durable: that one is with the head. */
  readonly stored: number
  /** Entries in all. */
  readonly size: number
}

/**
 * Copies a trail, verbatim, in packages of up to 256 entries. Before it is stored, each is hashed up to the root of the checkpoint and its entries
 * are read, numbered and linked, so whatever is stored is of the trail; what the store has already is hashed too, and not fetched again. Returns with the checkpoint as the head.
 *
 * Throws `AUDIT_CHECKPOINT_INVALID` before anything is read where the checkpoint is of more than `maxSize` entries. Throws
 * `AUDIT_TAMPERED` with the `index` of the entry in its details, or with the `file` of tiles, and `AUDIT_MISSING`: nothing
 * from there on is stored. Throws `AUDIT_FORK` where the store has a head that does not fit; one that is further than the
 * checkpoint, and fits, stays as it is.
 */
export async function* importTrail(options: ImportOptions): AsyncGenerator<ImportStep, Head> {
  const { from, to, signal } = options
  const { size, root } = openCheckpoint(options.checkpoint, options).checkpoint
  const { maxSize = size } = options
  if (size > maxSize) throw invalidCheckpoint(`it is of ${size} entries, and at most ${maxSize} are taken`)
  const note = copyBytes(options.checkpoint)
  let head = await openHead(to, await to.head({ signal }), options, { signal })
  if (head.tiles.size >= size) {
    await checkSameBeginning(head.tiles, size, root, { signal })
    return { size: head.tiles.size, root: copyBytes(head.tiles.root), checkpoint: head.note }
  }
  const source = await AuthenticTiles.load(from, { size, root }, { signal })
  await checkSameBeginning(source, head.tiles.size, head.tiles.root, { signal })

  const { goOn = false } = options
  const before = goOn ? head.tiles : await AuthenticTiles.load(to, { size: 0, root: EMPTY_ROOT }, { signal })
  const builder = await TreeBuilder.load(before, { signal })
  const kept = keptBundles(to, source)
  for (let index = Math.floor(builder.size / TILE_WIDTH); index * TILE_WIDTH < size; index++) {
    signal?.throwIfAborted()
    const known = await kept(index, { signal })
    const isDurable = known !== undefined && index * TILE_WIDTH + known.entries.length <= head.tiles.size
    const bundle = known ?? (await source.bundle(index, { signal }))
    const first = builder.size - index * TILE_WIDTH
    checkEntries(index, first, bundle, builder.last)
    const files = bundle.entries.slice(first).flatMap((entry) => [...builder.append(entry)])
    if (builder.size === size) files.push(...builder.partial())
    // What is behind the head was left by somebody who may not have come to flush it: read, it need not be durable.
    const missing = isDurable ? files.filter(({ name }) => !name.startsWith('tile/entries/')) : files
    // The last ones are flushed by whoever moves the head.
    if (builder.size === size && isStagingLogStore(to)) await to.stage(missing, { signal })
    else await to.write(missing, { signal })
    yield { stored: builder.size, size }
  }
  if (!equalBytes(builder.root(), root)) throw tampered('checkpoint', 'the copy has another root')

  while (!(await to.swapHead(head.note, note, size, { signal }))) {
    head = await openHead(to, await to.head({ signal }), options, { signal })
    const further = head.tiles.size >= size
    if (further) {
      await checkSameBeginning(head.tiles, size, root, { signal })
      return { size: head.tiles.size, root: copyBytes(head.tiles.root), checkpoint: head.note }
    }
    await checkSameBeginning(source, head.tiles.size, head.tiles.root, { signal })
  }
  await removeSuperseded(to, head.tiles.size, size)
  return { size, root, checkpoint: note }
}

/**
 * A signature is on bytes, and whoever has the log key can sign any. Throws `AUDIT_TAMPERED` unless these, from the `first` of the bundle on, are
 * the entries of their places, each linked to the one before, of which `before` is the hash.
 */
function checkEntries(index: number, first: number, { entries, hashes }: AuthenticBundle, before: Bytes | null): void {
  let prev = before
  for (const [i, entry] of entries.entries()) {
    if (i < first) continue
    const n = index * TILE_WIDTH + i
    const reason = checkEntryAt(n, entry, prev)
    if (reason !== undefined) {
      const message = `Entry ${n} was signed, and is none of a trail: ${reason}. Nothing from its package on was stored; ask where the trail comes from.`
      throw trailError('AUDIT_TAMPERED', message, { file: entriesPath(index), index: n })
    }
    prev = hashes[i] as Bytes
  }
}

/** Throws `AUDIT_FORK` unless the first `size` entries have this root. */
async function checkSameBeginning(
  tiles: AuthenticTiles,
  size: number,
  root: Uint8Array,
  options: AbortOptions,
): Promise<void> {
  if (equalBytes(await tiles.rootAt(size, options), root)) return
  const message = `The store and the checkpoint have two histories: their first ${size} entries differ. Nothing was changed; keep both checkpoints as evidence.`
  throw trailError('AUDIT_FORK', message, { size })
}

/** Bundles that an earlier import has left in the store, hashed up to the root of the source; `undefined` for all others. */
function keptBundles(
  to: LogReader,
  source: AuthenticTiles,
): (index: number, options: AbortOptions) => Promise<AuthenticBundle | undefined> {
  const kept = source.withEntriesOf(to)
  return async (index, options) => {
    try {
      return await kept.bundle(index, options)
    } catch (error) {
      if (isVaultError(error, 'AUDIT_MISSING') || isVaultError(error, 'AUDIT_TAMPERED')) return undefined
      throw error
    }
  }
}
