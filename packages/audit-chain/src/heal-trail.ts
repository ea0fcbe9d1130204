import type { AbortOptions, Bytes } from '@vault/core'
import { equalBytes } from '@vault/core'
import { EMPTY_ROOT } from '@vault/merkle'
import { tileOf } from './authentic-tiles.ts'
import { encodeEntryBundle } from './entry-bundle.ts'
import type { SignedNote } from './heal-notes.ts'
import { HealNotes } from './heal-notes.ts'
import { HealSources, UNKNOWN } from './heal-sources.ts'
import type { LogFile, LogStore, StoredLog } from './log-store.ts'
import { checkpointName } from './log-store.ts'
import { RootTracker } from './root-tracker.ts'
import { entriesPath, TILE_WIDTH, tilePath } from './tile.ts'
import { missing } from './trail-error.ts'
import type { LogIdentity } from './trail-head.ts'

/** What is healed, and from where. */
export interface HealOptions extends LogIdentity, AbortOptions {
  /** The damaged log as it lies there, opened for reading: opening one to write already publishes its head, sound or not. */
  readonly log: StoredLog
  /** The same log, opened for writing. Called once, and only where there is something to write. */
  readonly open: () => Promise<LogStore>
  /** Another copy of the log, perhaps shorter or longer; nothing that it gives is trusted. */
  readonly from?: StoredLog
  /** Entries that are known to have been in the log: no shorter head is put in place. */
  readonly atLeast: number
}

/** How far a healing has come. */
export interface HealStep {
  /** Entries that have been looked at. */
  readonly checked: number
  readonly size: number
  /** Files that were written, durably, since the last step. */
  readonly written: readonly string[]
}

/**
 * Brings back the files of a trail that are damaged or missing, from its own other files and from another copy. First everything is hashed
 * up to the root of a signed head, and nothing is written that is not under it; what is sound is not touched. Entries that nobody has
 * any more stay missing, and the rest is healed. Can be repeated after a crash.
 *
 * Throws `AUDIT_MISSING` where no signed checkpoint of enough entries can be proved: nothing was written then.
 */
export async function* healTrail(options: HealOptions): AsyncGenerator<HealStep> {
  const { signal, log, from, atLeast } = options
  const notes = await HealNotes.read({ log, from, atLeast, identity: options }, { signal })
  if (notes.candidates.length === 0) {
    if (atLeast > 0) throw missing('checkpoint')
    return
  }
  for (const target of notes.candidates) {
    for (const order of from === undefined
      ? [[log]]
      : [
          [log, from],
          [from, log],
        ]) {
      const sources = await HealSources.load(order, target, options, { signal })
      if (!(await isProved(sources, target, { signal }))) continue
      yield* new TrailHealer(options, notes, sources, target).run()
      return
    }
  }
  throw missing('checkpoint')
}

/** Whether the entries, as the sources give them, have the root that was signed. */
async function isProved(sources: HealSources, { size, root }: SignedNote, options: AbortOptions): Promise<boolean> {
  const tracker = new RootTracker()
  for await (const { hashes } of sources.bundles(size, options)) {
    for (const hash of hashes) tracker.append(hash)
    tracker.takeFullTiles()
    if (hashes.includes(UNKNOWN)) return false
  }
  return equalBytes(tracker.root(), root)
}

class TrailHealer {
  readonly #options: HealOptions
  readonly #notes: HealNotes
  readonly #sources: HealSources
  readonly #target: SignedNote
  readonly #tracker = new RootTracker()
  #store: LogStore | undefined
  #written: string[] = []

  constructor(options: HealOptions, notes: HealNotes, sources: HealSources, target: SignedNote) {
    this.#options = options
    this.#notes = notes
    this.#sources = sources
    this.#target = target
  }

  async *run(): AsyncGenerator<HealStep> {
    const { size } = this.#target
    const due = [...this.#notes.sizes].filter((other) => other <= size).sort((a, b) => a - b)
    if (due[0] === 0) await this.#checkpoint(0)
    let next = due[0] === 0 ? 1 : 0
    for await (const { index, entries, hashes } of this.#sources.bundles(size, this.#options)) {
      for (const hash of hashes) {
        this.#tracker.append(hash)
        if (this.#tracker.size === due[next]) await this.#checkpoint(due[next++] as number)
      }
      const whole = entries.flatMap((entry) => entry ?? [])
      // A bundle with a gap stays as it is: what is left of it is worth more than nothing.
      if (whole.length === hashes.length) {
        await this.#mend(
          (width) => entriesPath(index, width),
          whole.length,
          (width) => encodeEntryBundle(whole.slice(0, width)),
        )
      }
      for (const tile of this.#tracker.takeFullTiles()) await this.#tile(tile)
      yield this.#step()
    }
    for (const tile of this.#tracker.partialTiles()) await this.#tile(tile)
    await this.#head()
    yield this.#step()
  }

  #step(): HealStep {
    const written = this.#written
    this.#written = []
    return { checked: this.#tracker.size, size: this.#target.size, written }
  }

  async #tile({
    level,
    index,
    hashes,
  }: {
    readonly level: number
    readonly index: number
    readonly hashes: readonly Bytes[]
  }): Promise<void> {
    await this.#mend(
      (width) => tilePath(level, index, width),
      hashes.length,
      (width) => tileOf(hashes.slice(0, width)),
    )
  }

  /** One tile, and the narrower ones that readers of earlier checkpoints may ask for, where they lie here. */
  async #mend(nameOf: (width: number) => string, width: number, contentOf: (width: number) => Bytes): Promise<void> {
    const { log, signal } = this.#options
    const full = nameOf(TILE_WIDTH)
    const narrower = (await log.list(`${full}.p`, { signal })).map(Number).filter((other) => other < width)
    const files: LogFile[] = []
    for (const each of new Set([width, ...narrower])) {
      const name = nameOf(each)
      const bytes = contentOf(each)
      const stored = await log.read(name, { signal })
      if (stored !== undefined && equalBytes(stored, bytes)) continue
      // Written by who appends, and not signed yet: it begins with what is wanted.
      const wider = stored === undefined && each < TILE_WIDTH ? await log.read(full, { signal }) : undefined
      if (wider !== undefined && equalBytes(wider.subarray(0, bytes.length), bytes)) continue
      files.push({ name, bytes })
    }
    await this.#write(files)
  }

  /** The note of this size, from whoever has one that names the root of the entries. */
  async #checkpoint(size: number): Promise<void> {
    const root = size === 0 ? EMPTY_ROOT : this.#tracker.root()
    const { here, elsewhere } = await this.#notes.ofSize(size, root, this.#options)
    if (here === undefined && elsewhere !== undefined) {
      await this.#write([{ name: checkpointName(size), bytes: elsewhere }])
    }
  }

  /** Last: whatever reads by the head finds all that it stands for. */
  async #head(): Promise<void> {
    const { signal } = this.#options
    const { note, size } = this.#target
    const { head, published } = this.#notes
    const kept = await this.#options.log.read(checkpointName(size), { signal })
    if (!isSame(head, note) || !isSame(published, note)) {
      // Opened, the store publishes the head that it has.
      const store = await this.#opened()
      const now = await store.head({ signal })
      // Another process may have gone on from the same head meanwhile: then it is further, and sound.
      if (!isSame(now, note)) await store.swapHead(now, note, size, { signal })
      this.#written.push('checkpoint')
    }
    if (!isSame(kept, note)) await this.#write([{ name: checkpointName(size), bytes: note }])
  }

  async #write(files: readonly LogFile[]): Promise<void> {
    if (files.length === 0) return
    await (await this.#opened()).write(files, { signal: this.#options.signal })
    this.#written.push(...files.map(({ name }) => name))
  }

  async #opened(): Promise<LogStore> {
    this.#store ??= await this.#options.open()
    return this.#store
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && equalBytes(a, b)
}
