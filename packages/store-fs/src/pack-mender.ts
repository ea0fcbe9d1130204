import { join } from 'node:path'
import type { Block } from '@vault/cas'
import { PackRows, scanPack } from '@vault/cas'
import type { AbortOptions, ContentId } from '@vault/core'
import { makeFolder } from './durable.ts'
import type { Fs } from './fs.ts'
import { errorCode } from './fs.ts'
import type { ObjectReader } from './object-reader.ts'
import { idsOf } from './scrub-segment.ts'
import type { SegmentFiles } from './segment-files.ts'
import { readFailed, writeFailed } from './system-refusal.ts'

/** Where damaged segments are kept aside, in the folder that has `objects/`. */
const ASIDE = 'damaged'
const RUN_FILE = /^[0-9a-f]{32}\.idx$/
/** Objects that are read and written at once: at most 256 MiB. */
const BATCH = 256

/** Takes damaged files out of a store of packs. Destroys nothing but what is derived. */
export interface MendablePacks {
  /**
   * Stores every object again that can still be read from a segment, and resolves when all are durable elsewhere. Gives
   * their number; 0 for a segment that is gone.
   */
  copyOut(segment: string, options?: AbortOptions): Promise<number>
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
  readonly reader: ObjectReader
  readonly append: (blocks: readonly Block[]) => Promise<string>
}

/** See {@link MendablePacks}. */
export class PackMender implements MendablePacks {
  readonly #parts: MenderParts

  constructor(parts: MenderParts) {
    this.#parts = parts
  }

  async copyOut(segment: string, options?: AbortOptions): Promise<number> {
    const ids = await this.#readableIds(segment, options)
    let copied = 0
    for (let i = 0; i < ids.length; i += BATCH) {
      for await (const { blocks } of this.#parts.reader.getBatch(ids.slice(i, i + BATCH), options)) {
        if (blocks.length === 0) continue
        await this.#parts.append(blocks)
        copied += blocks.length
      }
    }
    return copied
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

  /** Behind what the disk cannot read (EIO) nothing is found: that has to come from elsewhere. */
  async #readableIds(segment: string, options?: AbortOptions): Promise<readonly ContentId[]> {
    const { files } = this.#parts
    const found = new PackRows()
    try {
      await files.source(segment, async (source) => {
        const name = Uint8Array.from(Buffer.from(segment, 'hex'))
        for await (const step of scanPack(source, { name, check: 'checksum' })) {
          options?.signal?.throwIfAborted()
          if (step.type === 'records') found.appendAll(step.sound)
        }
      })
    } catch (error) {
      const code = errorCode(error)
      if (code !== 'ENOENT' && code !== 'EIO') throw readFailed(files.path(segment), error)
    }
    return idsOf(found.bytes)
  }
}
