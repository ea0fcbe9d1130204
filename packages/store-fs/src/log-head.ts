import { checkpointName, parseCheckpoint, parseNote } from '@vault/audit-chain'
import type { Bytes } from '@vault/core'
import { copyBytes, equalBytes, isVaultError } from '@vault/core'
import type { Fs } from './fs.ts'
import type { LogFiles } from './log-files.ts'
import { STATE } from './log-files.ts'

const PUBLISHED = 'checkpoint'
const CHECKPOINTS = 'checkpoints'

interface Generation {
  /** From 1; 0 for a log that has none, such as a copy of its public files. */
  readonly number: number
  readonly note: Bytes | undefined
}

/**
 * The head of a log in a folder: the `.state/head.<n>` with the highest n. The next one is made by a link, which fails where the
 * name is taken: that is the compare and set. None is ever removed, so the numbers have no gaps and no name is free twice. What
 * readers see, `checkpoint` and `checkpoints/<size>`, are further names of the same file.
 */
export class LogHead {
  readonly #fs: Fs
  readonly #files: LogFiles
  readonly #writable: boolean
  /** The latest one that was met; durable, and its public names are there, where this session may write. */
  #known: Generation | undefined

  constructor(fs: Fs, files: LogFiles, writable: boolean) {
    this.#fs = fs
    this.#files = files
    this.#writable = writable
  }

  async read(): Promise<Bytes | undefined> {
    const { note } = await this.#latest()
    return note && copyBytes(note)
  }

  /** See `LogStore.swapHead`. */
  async swap(expected: Uint8Array | undefined, next: Uint8Array, size: number): Promise<boolean> {
    const known = this.#known !== undefined && sameNote(this.#known.note, expected) ? this.#known : await this.#latest()
    if (!sameNote(known.note, expected)) return false
    const number = known.number + 1
    const temporary = await this.#writeFlushed(next)
    if (!(await this.#files.link(temporary, this.#files.path(headName(number))))) {
      await this.#fs.remove(temporary)
      return false
    }
    await this.#files.link(temporary, this.#files.path(checkpointName(size)))
    await this.#fs.rename(temporary, this.#files.path(PUBLISHED))
    await this.#flush()
    this.#known = { number, note: copyBytes(next) }
    // Another process may have made the next one and published it before this one was: the last to look puts it right.
    if (await this.#files.has(headName(number + 1))) await this.#latest()
    return true
  }

  /** The note in a temporary file, when it is durable and so is all that it signs. */
  async #writeFlushed(note: Uint8Array): Promise<string> {
    const both = [this.#files.writeTemporary(note), this.#files.flushStaged()] as const
    await Promise.allSettled(both)
    await both[1]
    return await both[0]
  }

  async #latest(): Promise<Generation> {
    let number = this.#known?.number ?? (await this.#search())
    while (await this.#files.has(headName(number + 1))) number++
    if (number === this.#known?.number) return this.#known
    const note = await this.#files.read(number === 0 ? PUBLISHED : headName(number))
    const found = { number, note }
    if (this.#writable && number > 0 && note !== undefined) await this.#complete(number, note)
    this.#known = found
    return found
  }

  /** Some generation of a log; the next one may be there too. Asks for about twice the digits of its number. */
  async #search(): Promise<number> {
    let above = 1
    while (await this.#files.has(headName(above))) above *= 2
    let below = Math.floor(above / 2)
    while (above - below > 1) {
      const middle = Math.floor((below + above) / 2)
      if (await this.#files.has(headName(middle))) below = middle
      else above = middle
    }
    return below
  }

  /** Does what whoever made this head may not have come to: nothing is built on it before it is durable and published. */
  async #complete(number: number, note: Bytes): Promise<void> {
    const path = this.#files.path(headName(number))
    const size = sizeOf(note)
    if (size !== undefined) await this.#files.link(path, this.#files.path(checkpointName(size)))
    if (!sameNote(await this.#files.read(PUBLISHED), note)) {
      const temporary = this.#files.temporary()
      await this.#fs.link(path, temporary)
      await this.#fs.rename(temporary, this.#files.path(PUBLISHED))
    }
    await this.#flush()
  }

  /** Not the folder of `checkpoint`: where that name goes back after a loss of power, the next opening puts it right. */
  async #flush(): Promise<void> {
    const folders = [STATE, CHECKPOINTS].map((folder) => this.#fs.syncDir(this.#files.path(folder)))
    await Promise.allSettled(folders)
    await Promise.all(folders)
  }
}

function headName(number: number): string {
  return `${STATE}/head.${number}`
}

/** The size that a checkpoint names; `undefined` where it is damaged, which whoever opens the trail is told. */
function sizeOf(note: Uint8Array): number | undefined {
  try {
    return parseCheckpoint(parseNote(note).text).size
  } catch (error) {
    if (isVaultError(error)) return undefined
    throw error
  }
}

function sameNote(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b)
}
