import { dirname } from 'node:path'
import type { Random } from '@vault/core'
import type { Fs, FsFile } from './fs.ts'

/** What a disk takes or leaves of a write that was not flushed. */
const SECTOR_LENGTH = 512

interface Inode {
  bytes: Uint8Array
  /** The content as of the last flush. */
  flushed: Uint8Array
}

/** A file system in memory that can lose its power. */
export interface SimulatedFs extends Fs {
  /**
   * The file system as it is found after the power failed now: what was flushed, and of the rest whatever chance left: single
   * sectors, lengths without content, names new and old.
   */
  crash(random: Random): SimulatedFs
}

/** An empty file system in memory. It holds programs to the letter: what they did not flush may be gone, in any combination. */
export function simulatedFs(): SimulatedFs {
  return new Disk(new Map([['/', undefined]]))
}

class Disk implements SimulatedFs {
  /** Files, and folders as `undefined`. */
  readonly #names: Map<string, Inode | undefined>
  readonly #flushedNames: Map<string, Inode | undefined>

  constructor(names: Map<string, Inode | undefined>) {
    this.#names = names
    this.#flushedNames = new Map(names)
  }

  async open(path: string, mode: 'read' | 'create'): Promise<FsFile> {
    if (mode === 'create') {
      if (this.#names.has(path)) throw systemError('EEXIST', path)
      this.#names.set(path, { bytes: new Uint8Array(0), flushed: new Uint8Array(0) })
    }
    return openFile(this.#file(path))
  }

  async list(path: string): Promise<readonly string[]> {
    if (!this.#names.has(path)) throw systemError('ENOENT', path)
    return [...this.#names.keys()].filter((name) => dirname(name) === path).map((name) => name.slice(path.length + 1))
  }

  async size(path: string): Promise<number> {
    return this.#file(path).bytes.length
  }

  /** No time passes on this disk, so that nothing on it grows old. */
  async modified(path: string): Promise<number> {
    this.#file(path)
    return Number.POSITIVE_INFINITY
  }

  async mkdir(path: string): Promise<void> {
    if (this.#names.has(path)) return
    if (!this.#names.has(dirname(path))) throw systemError('ENOENT', path)
    this.#names.set(path, undefined)
  }

  async rename(from: string, to: string): Promise<void> {
    this.#names.set(to, this.#file(from))
    this.#names.delete(from)
  }

  async link(existing: string, path: string): Promise<void> {
    const inode = this.#file(existing)
    if (this.#names.has(path)) throw systemError('EEXIST', path)
    if (!this.#names.has(dirname(path))) throw systemError('ENOENT', path)
    this.#names.set(path, inode)
  }

  async remove(path: string): Promise<void> {
    this.#file(path)
    this.#names.delete(path)
  }

  async syncDir(path: string): Promise<void> {
    for (const name of [...this.#flushedNames.keys()]) if (dirname(name) === path) this.#flushedNames.delete(name)
    for (const [name, inode] of this.#names) if (dirname(name) === path) this.#flushedNames.set(name, inode)
  }

  crash(random: Random): SimulatedFs {
    const chance = () => ((random(1)[0] as number) & 1) === 1
    const names = new Map<string, Inode | undefined>()
    const found = (name: string): boolean => {
      const flushed = this.#flushedNames.has(name)
      return flushed === this.#names.has(name) ? flushed : chance()
    }
    for (const name of new Set([...this.#names.keys(), ...this.#flushedNames.keys()])) {
      // A file is found only where all folders above it are.
      if (!found(name) || (dirname(name) !== name && !names.has(dirname(name)))) continue
      const inode = this.#names.has(name) ? this.#names.get(name) : this.#flushedNames.get(name)
      const bytes = inode === undefined ? undefined : remains(inode, chance, random)
      names.set(name, bytes === undefined ? undefined : { bytes, flushed: bytes })
    }
    return new Disk(names)
  }

  #file(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw systemError('ENOENT', path)
    return inode
  }
}

function openFile(inode: Inode): FsFile {
  const readSync = (into: Uint8Array, position: number) => {
    const part = inode.bytes.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }
  return {
    size: async () => inode.bytes.length,
    readSync,
    read: async (into, position) => readSync(into, position),
    write: async (bytes, position) => {
      const longer = new Uint8Array(Math.max(inode.bytes.length, position + bytes.length))
      longer.set(inode.bytes)
      longer.set(bytes, position)
      inode.bytes = longer
      return bytes.length
    },
    datasync: async () => {
      inode.flushed = inode.bytes.slice()
    },
    close: async () => {},
  }
}

/** The flushed content, and by chance the new length and some of the new sectors. */
function remains(inode: Inode, chance: () => boolean, random: Random): Uint8Array {
  const { bytes, flushed } = inode
  const grown = Math.max(0, bytes.length - flushed.length)
  const kept = chance() ? Math.floor(((random(1)[0] as number) / 255) * grown) : grown
  const found = new Uint8Array(flushed.length + kept)
  found.set(flushed)
  for (let at = 0; at < found.length; at += SECTOR_LENGTH) {
    if (chance()) found.set(bytes.subarray(at, Math.min(at + SECTOR_LENGTH, found.length)), at)
  }
  return found
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
