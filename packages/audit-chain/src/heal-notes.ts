import type { AbortOptions, Bytes } from '@vault/core'
import { equalBytes, isVaultError } from '@vault/core'
import { openCheckpoint } from './checkpoint.ts'
import { parseDecimal } from './decimal.ts'
import type { StoredLog } from './log-store.ts'
import { CHECKPOINTS, checkpointName } from './log-store.ts'
import type { LogIdentity } from './trail-head.ts'

/** A signed note and what it says. */
export interface SignedNote {
  readonly note: Bytes
  readonly size: number
  readonly root: Bytes
}

interface NoteParts {
  readonly log: StoredLog
  readonly from: StoredLog | undefined
  readonly atLeast: number
  readonly identity: LogIdentity
}

/** The signed notes of a damaged log and of another copy of it: which may be its head, and which are kept for earlier sizes. */
export class HealNotes {
  /** What the log has as its head, and what its readers find, sound or not. */
  readonly head: Bytes | undefined
  readonly published: Bytes | undefined
  /** Notes that may be the head, the furthest first. */
  readonly candidates: readonly SignedNote[]
  /** Sizes of which either copy keeps a note. */
  readonly sizes: ReadonlySet<number>
  readonly #parts: NoteParts

  private constructor(parts: NoteParts, found: Pick<HealNotes, 'head' | 'published' | 'candidates' | 'sizes'>) {
    this.#parts = parts
    this.head = found.head
    this.published = found.published
    this.candidates = found.candidates
    this.sizes = found.sizes
  }

  static async read(parts: NoteParts, options: AbortOptions): Promise<HealNotes> {
    const { log, from, atLeast, identity } = parts
    const open = (note: Bytes | undefined) => openNote(note, identity)
    const head = await log.head(options)
    const published = await log.read('checkpoint', options)
    const own = await sizesOf(log, options)
    const others = from === undefined ? [] : await sizesOf(from, options)
    const here = [open(head), open(published)]
    // Only the furthest: a smaller one is no head, and is looked at with the entries.
    const largest = own.at(-1)
    if (largest !== undefined) here.push(open(await log.read(checkpointName(largest), options)))
    const known = here.filter((note) => note !== undefined)
    // What is further than this log ever was is another place's business, and no repair.
    const most = Math.max(atLeast, ...known.map(({ size }) => size))
    const there: (SignedNote | undefined)[] = []
    if (from !== undefined) {
      there.push(open(await from.head(options)))
      const fitting = others.findLast((size) => size <= most)
      if (fitting !== undefined) there.push(open(await from.read(checkpointName(fitting), options)))
    }
    const least = Math.max(atLeast, open(head)?.size ?? 0)
    const candidates = [...known, ...there.filter((note) => note !== undefined)]
      .filter(({ size }) => size >= least && size <= most)
      .sort((a, b) => b.size - a.size)
    return new HealNotes(parts, { head, published, candidates, sizes: new Set([...own, ...others]) })
  }

  /** The note that is kept for a size, where it is signed and of this root: here, or else in the other copy. */
  async ofSize(
    size: number,
    root: Bytes,
    { signal }: AbortOptions,
  ): Promise<{ readonly here: Bytes | undefined; readonly elsewhere: Bytes | undefined }> {
    const fitting = async (log: StoredLog | undefined): Promise<Bytes | undefined> => {
      const opened = openNote(await log?.read(checkpointName(size), { signal }), this.#parts.identity)
      return opened?.size === size && equalBytes(opened.root, root) ? opened.note : undefined
    }
    const here = await fitting(this.#parts.log)
    return { here, elsewhere: here === undefined ? await fitting(this.#parts.from) : undefined }
  }
}

/** Ascending. */
async function sizesOf(log: StoredLog, options: AbortOptions): Promise<readonly number[]> {
  const names = await log.list(CHECKPOINTS, options)
  return names.flatMap((name) => parseDecimal(name) ?? []).sort((a, b) => a - b)
}

function openNote(note: Bytes | undefined, identity: LogIdentity): SignedNote | undefined {
  if (note === undefined) return undefined
  try {
    const { size, root } = openCheckpoint(note, identity).checkpoint
    return { note, size, root }
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}
