import type { AbortOptions, Bytes, Finding } from '@vault/core'
import { equalBytes, isVaultError } from '@vault/core'
import { EMPTY_ROOT, leafHash } from '@vault/merkle'
import { AuthenticTiles, tileOf } from './authentic-tiles.ts'
import { checkEntryAt } from './check-entry.ts'
import { openCheckpoint } from './checkpoint.ts'
import { parseDecimal } from './decimal.ts'
import { decodeEntryBundle } from './entry-bundle.ts'
import type { StoredLog } from './log-store.ts'
import { CHECKPOINTS, checkpointName } from './log-store.ts'
import { RootTracker } from './root-tracker.ts'
import { entriesPath, TILE_WIDTH, tilePath } from './tile.ts'
import type { LogIdentity } from './trail-head.ts'

/** A step of a verification. */
export interface VerifyStep {
  /** Entries that have been looked at. */
  readonly checked: number
  /** Entries in all. */
  readonly size: number
  /** What is wrong, in the order of the trail; the subject is a file, or `entry <n>`. */
  readonly findings: readonly Finding[]
}

/** What is verified, and against which keys. */
export interface VerifyOptions extends LogIdentity, AbortOptions {
  readonly log: StoredLog
  /**
   * Entries that are fixed: those of the log and those that wait for it. A checkpoint of up to so many is no sign of a rollback: its
   * head was not yet durable when the power failed, and whoever writes next makes the same again. Default: those of the log.
   */
  readonly fixed?: number
}

/**
 * Reads every file of a trail: each entry is hashed again, linked to the one before and numbered; each hash tile, full or partial, is compared
 * with the entries below it; each checkpoint that was ever published is verified, and its root compared with the tree
 * of its size; the head too. What is verified is the trail as it was at the start: whoever appends meanwhile does not disturb it. Never
 * throws for what is wrong with the trail: that is a finding. Memory does not grow with the trail, but for the sizes of its checkpoints.
 */
export async function* verifyTrail(options: VerifyOptions): AsyncGenerator<VerifyStep> {
  const { log, origin, keys, fixed = 0, signal } = options
  const verifier = new TrailVerifier(log, { origin, keys, fixed }, { signal })
  yield* verifier.run()
}

class TrailVerifier {
  readonly #log: StoredLog
  readonly #identity: LogIdentity
  readonly #fixed: number
  readonly #options: AbortOptions
  readonly #tracker = new RootTracker()
  #findings: Finding[] = []
  #size = 0
  /** The tree under the head's root; `undefined` where the tiles at its end do not give it. */
  #tree: AuthenticTiles | undefined
  /** Leaf hash of the entry before; `undefined` where it is not known. */
  #prev: Bytes | null | undefined = null

  constructor(log: StoredLog, parts: LogIdentity & { readonly fixed: number }, options: AbortOptions) {
    this.#log = log
    this.#identity = parts
    this.#fixed = parts.fixed
    this.#options = options
  }

  async *run(): AsyncGenerator<VerifyStep> {
    const head = await this.#readHead()
    const checkpoints = await this.#checkpoints()
    yield this.#step(0)
    const due = checkpoints.values()
    let next = due.next()
    for (let index = 0; index * TILE_WIDTH < this.#size; index++) {
      this.#options.signal?.throwIfAborted()
      const hashes = await this.#bundle(index)
      for (const hash of hashes) {
        this.#tracker.append(hash)
        while (!next.done && next.value <= this.#tracker.size) {
          if (next.value === this.#tracker.size) await this.#checkpoint(next.value)
          next = due.next()
        }
      }
      await this.#tiles()
      yield this.#step(Math.min(this.#size, (index + 1) * TILE_WIDTH))
    }
    await this.#tiles(true)
    if (head !== undefined && !equalBytes(this.#tracker.root(), head.root)) {
      this.#report('AUDIT_TAMPERED', 'checkpoint', 'its root is not that of the entries')
    }
    await this.#published(checkpoints.every((size) => size === this.#size))
    yield this.#step(this.#size)
  }

  #step(checked: number): VerifyStep {
    const findings = this.#findings
    this.#findings = []
    return { checked, size: this.#size, findings }
  }

  #report(code: string, subject: string, reason: string): void {
    this.#findings.push({ code, subject, message: `${subject}: ${reason}.` })
  }

  /** Runs a check; what it throws about the trail is a finding, and its result `undefined`. */
  async #attempt<Result>(subject: string, check: () => Promise<Result> | Result): Promise<Result | undefined> {
    try {
      return await check()
    } catch (error) {
      if (!isVaultError(error) || error.code === 'AUDIT_READ_FAILED') throw error
      this.#findings.push({ code: error.code, subject: String(error.details.file ?? subject), message: error.message })
      return undefined
    }
  }

  async #readHead(): Promise<{ readonly size: number; readonly root: Bytes } | undefined> {
    const note = await this.#log.head(this.#options)
    if (note === undefined) return undefined
    const opened = await this.#attempt('checkpoint', () => openCheckpoint(note, this.#identity).checkpoint)
    if (opened === undefined) return undefined
    this.#size = opened.size
    this.#tree = await this.#attempt('checkpoint', () => AuthenticTiles.load(this.#log, opened, this.#options))
    return opened
  }

  /** What may have been signed by now: who appends while this runs publishes more than is verified, but never before its head. */
  async #signable(): Promise<number> {
    const note = await this.#log.head(this.#options)
    const opened = note && (await this.#attempt('checkpoint', () => openCheckpoint(note, this.#identity).checkpoint))
    return Math.max(this.#size, opened?.size ?? 0, this.#fixed)
  }

  /** Sizes of the checkpoints that are kept, ascending. */
  async #checkpoints(): Promise<readonly number[]> {
    const names = await this.#log.list(CHECKPOINTS, this.#options)
    const sizes = names.flatMap((name) => parseDecimal(name) ?? []).sort((a, b) => a - b)
    const signable = await this.#signable()
    for (const size of sizes) {
      if (size <= signable) continue
      const name = checkpointName(size)
      const note = await this.#log.read(name, this.#options)
      const opened = await this.#attempt(name, () => note && openCheckpoint(note, this.#identity))
      if (opened) this.#report('AUDIT_ROLLBACK', name, `the log signed this size, and now has ${this.#size} entries`)
    }
    if (sizes.includes(0)) await this.#checkpoint(0)
    return sizes.filter((size) => size > 0 && size <= this.#size)
  }

  async #checkpoint(size: number): Promise<void> {
    const name = checkpointName(size)
    const note = await this.#log.read(name, this.#options)
    if (note === undefined) return
    const checkpoint = await this.#attempt(name, () => openCheckpoint(note, this.#identity).checkpoint)
    if (checkpoint === undefined) return
    const root = size === 0 ? EMPTY_ROOT : this.#tracker.root()
    if (checkpoint.size !== size) this.#report('AUDIT_TAMPERED', name, `it is of size ${checkpoint.size}`)
    else if (!equalBytes(checkpoint.root, root)) {
      this.#report('AUDIT_FORK', name, 'its root is not that of the entries')
    }
  }

  /** The names under which readers find the head, which it gets after it is the head; `first`: none was kept before it. */
  async #published(first: boolean): Promise<void> {
    const head = checkpointName(this.#size)
    const isKept = this.#size === 0 || (await this.#log.read(head, this.#options)) !== undefined
    const note = await this.#log.read('checkpoint', this.#options)
    const opened = note && (await this.#attempt('checkpoint', () => openCheckpoint(note, this.#identity).checkpoint))
    // Where readers are still at an earlier one, or at none, whoever made the head was stopped before it got its names: the next
    // writer gives them.
    const isUnpublished = note === undefined ? first : opened !== undefined && opened.size < this.#size
    if (!isKept && !isUnpublished) this.#report('AUDIT_MISSING', head, 'the checkpoint of the head is not kept')
    if (note === undefined && !isUnpublished && this.#size > 0) {
      this.#report('AUDIT_MISSING', 'checkpoint', 'readers find none')
    }
    if (note === undefined || opened === undefined) return
    const kept = await this.#log.read(checkpointName(opened.size), this.#options)
    if (opened.size > (await this.#signable())) {
      this.#report(
        'AUDIT_ROLLBACK',
        'checkpoint',
        `the log signed size ${opened.size}, and now has ${this.#size} entries`,
      )
    } else if (kept === undefined || !equalBytes(kept, note)) {
      this.#report('AUDIT_TAMPERED', 'checkpoint', `it is not the one that is kept for size ${opened.size}`)
    }
  }

  /** Checks the entries of a bundle; returns the hashes to go on with: those that were signed, where they are known. */
  async #bundle(index: number): Promise<readonly Bytes[]> {
    const first = index * TILE_WIDTH
    const width = Math.min(TILE_WIDTH, this.#size - first)
    const signed = await this.#signedHashes(index, width)
    const name = await this.#storedName(entriesPath(index), entriesPath(index, width))
    const entries = await this.#entriesOf(name, index, width)
    const hashes = Array.from({ length: width }, (_, i) => {
      const entry = entries[i]
      return signed?.[i] ?? (entry === undefined ? UNKNOWN : leafHash(entry))
    })
    for (const [i, hash] of hashes.entries()) {
      this.#entry(first + i, entries[i], signed?.[i])
      this.#prev = hash === UNKNOWN ? undefined : hash
    }
    if (entries.length < width) {
      this.#report('AUDIT_MISSING', name, `entries ${first + entries.length} to ${first + width - 1} are missing`)
    }
    await this.#partialBundles(index, hashes)
    return hashes
  }

  #entry(index: number, bytes: Bytes | undefined, signed: Bytes | undefined): void {
    if (bytes === undefined) return
    const subject = `entry ${index}`
    if (signed !== undefined && !equalBytes(leafHash(bytes), signed)) {
      this.#report('AUDIT_TAMPERED', subject, 'it is not the entry that was signed')
      return
    }
    const reason = checkEntryAt(index, bytes, this.#prev)
    if (reason !== undefined) this.#report('AUDIT_ENTRY_INVALID', subject, reason)
  }

  /** The leaf hashes that the head's root stands for. Damage of the tiles themselves is reported with them. */
  async #signedHashes(index: number, width: number): Promise<readonly Bytes[] | undefined> {
    try {
      const tile = await this.#tree?.hashes(0, index, this.#options)
      return tile && Array.from({ length: width }, (_, i) => tile.at(i))
    } catch (error) {
      if (isVaultError(error, 'AUDIT_TAMPERED') || isVaultError(error, 'AUDIT_MISSING')) return undefined
      throw error
    }
  }

  async #entriesOf(name: string, index: number, width: number): Promise<readonly Bytes[]> {
    const bytes = await this.#log.read(name, this.#options)
    if (bytes === undefined) return []
    const entries = (await this.#attempt(name, () => decodeEntryBundle(bytes))) ?? []
    const most = name === entriesPath(index) ? TILE_WIDTH : width
    if (entries.length > most) this.#report('AUDIT_TAMPERED', name, `it has ${entries.length} entries`)
    return entries.slice(0, width)
  }

  /** The hash tiles that the entries so far have made full; with `last`, those at the end. */
  async #tiles(last = false): Promise<void> {
    for (const { level, index, hashes } of last ? this.#tracker.partialTiles() : this.#tracker.takeFullTiles()) {
      const content = tileOf(hashes)
      const width = hashes.length
      const name = await this.#storedName(tilePath(level, index), tilePath(level, index, width))
      const bytes = await this.#log.read(name, this.#options)
      if (bytes === undefined) this.#report('AUDIT_MISSING', name, 'the tile is missing')
      else if (!equalBytes(bytes.subarray(0, name === tilePath(level, index) ? content.length : undefined), content)) {
        this.#report('AUDIT_TAMPERED', name, 'the tile does not hold the hashes of the entries')
      }
      await this.#partialTiles(level, index, content)
    }
  }

  /** Smaller partial tiles, which readers of earlier checkpoints may still ask for. */
  async #partialTiles(level: number, index: number, content: Uint8Array): Promise<void> {
    for (const { name, width } of await this.#partials(tilePath(level, index))) {
      if (width * 32 >= content.length) continue
      const bytes = await this.#log.read(name, this.#options)
      if (bytes !== undefined && !equalBytes(bytes, content.subarray(0, width * 32))) {
        this.#report('AUDIT_TAMPERED', name, 'the tile does not hold the hashes of the entries')
      }
    }
  }

  async #partialBundles(index: number, hashes: readonly Bytes[]): Promise<void> {
    for (const { name, width } of await this.#partials(entriesPath(index))) {
      if (width >= hashes.length) continue
      const bytes = await this.#log.read(name, this.#options)
      const entries = bytes && (await this.#attempt(name, () => decodeEntryBundle(bytes)))
      if (entries === undefined) continue
      const bad = entries.findIndex((entry, i) => !equalBytes(leafHash(entry), hashes[i] ?? UNKNOWN))
      if (bad >= 0 || entries.length !== width) {
        this.#report(
          'AUDIT_TAMPERED',
          name,
          `it does not hold ${width} entries of the log from ${index * TILE_WIDTH} on`,
        )
      }
    }
  }

  async #partials(full: string): Promise<readonly { readonly name: string; readonly width: number }[]> {
    const names = await this.#log.list(`${full}.p`, this.#options)
    return names
      .flatMap((name) => parseDecimal(name) ?? [])
      .filter((width) => width > 0 && width < TILE_WIDTH)
      .sort((a, b) => a - b)
      .map((width) => ({ name: `${full}.p/${width}`, width }))
  }

  /** The full file where the log has grown beyond the partial one. */
  async #storedName(full: string, partial: string): Promise<string> {
    if (full === partial) return full
    return (await this.#log.read(partial, this.#options)) === undefined &&
      (await this.#log.read(full, this.#options)) !== undefined
      ? full
      : partial
  }
}

/** Stands for a hash that nobody knows: no entry has it. */
const UNKNOWN: Bytes = new Uint8Array(32)
