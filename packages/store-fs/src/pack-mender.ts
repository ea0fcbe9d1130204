import { join } from 'node:path'
import type { AbortOptions } from '@vault/core'
import { makeFolder } from './durable.ts'
import type { Fs } from './fs.ts'
import { errorCode } from './fs.ts'
import type { SegmentFiles } from './segment-files.ts'
import { writeFailed } from './system-refusal.ts'

/** Where damaged segments are kept aside, in the folder that has `objects/`. */
const ASIDE = 'damaged'
const RUN_FILE = /^[0-9a-f]{32}\.idx$/

/** Takes damaged files out of a store of packs. Destroys nothing but what is derived. */
export interface MendablePacks {
  /**
   * Moves a segment into the folder `damaged` beside `objects`, durably: nothing in it is found any more. Whoever does that has
   * copied it out, and condemned it where changes may rely on it. Gives the file's new path; `undefined` for one that is gone.
   */
  setAside(segment: string, options?: AbortOptions): Promise<string | undefined>
  /** Removes the index, which is derived: whoever opens the store next reads the segments, and a writer writes it anew. */
  dropIndex(options?: AbortOptions): Promise<void>
}

interface MenderParts {
  readonly fs: Fs
  readonly dir: string
  readonly files: SegmentFiles
}

/** See {@link MendablePacks}. */
export class PackMender implements MendablePacks {
  readonly #parts: MenderParts

  constructor(parts: MenderParts) {
    this.#parts = parts
  }

  async setAside(segment: string, options?: AbortOptions): Promise<string | undefined> {
    options?.signal?.throwIfAborted()
    const { fs, dir, files } = this.#parts
    const folder = join(dir, ASIDE)
    const path = join(folder, `${segment}.pack`)
    try {
      await makeFolder(fs, folder)
      await fs.rename(files.path(segment), path)
      await fs.syncDir(folder)
      await fs.syncDir(join(dir, 'objects'))
      return path
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw writeFailed(path, error)
    }
  }

  async dropIndex(options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()
    const { fs, dir } = this.#parts
    const folder = join(dir, 'objects', 'index')
    try {
      const names = (await fs.list(folder)).filter((name) => RUN_FILE.test(name))
      for (const name of names) await fs.remove(join(folder, name))
      await fs.syncDir(folder)
    } catch (error) {
      // Another process that merges runs has been faster, or there is no index.
      if (errorCode(error) !== 'ENOENT') throw writeFailed(folder, error)
    }
  }
}
