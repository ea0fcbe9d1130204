import type { AbortOptions, Bytes } from '@vault/core'
import { copyBytes, equalBytes } from '@vault/core'
import type { LogStore } from './log-store.ts'
import { checkFolder, checkpointName, checkReadName, checkWriteName } from './log-store.ts'

/** What a memory log is about to do: put or remove this file, or make this the head. */
export interface LogStep {
  readonly what: 'write' | 'remove' | 'head'
  readonly name: string
}

export interface MemoryLogOptions {
  /** Called before each step; what it throws rejects the operation and leaves out this step and those after it, as a crash does. */
  readonly before?: (step: LogStep) => void | Promise<void>
}

/** A log in memory. */
export interface MemoryLog extends LogStore {
  /** All files by name, `checkpoint` among them: to look at, and to damage. */
  readonly files: Map<string, Bytes>
}

/** A log in memory: everything that {@link LogStore} promises, but that it is gone with the process. */
export function createMemoryLog({ before }: MemoryLogOptions = {}): MemoryLog {
  const files = new Map<string, Bytes>()
  const aborted = (options?: AbortOptions): void => options?.signal?.throwIfAborted()
  return {
    files,

    async read(name, options) {
      aborted(options)
      checkReadName(name)
      const bytes = files.get(name)
      return bytes && copyBytes(bytes)
    },

    async head(options) {
      aborted(options)
      const bytes = files.get('checkpoint')
      return bytes && copyBytes(bytes)
    },

    async list(folder, options) {
      aborted(options)
      checkFolder(folder)
      return [...files.keys()]
        .filter((name) => name.startsWith(`${folder}/`))
        .map((name) => name.slice(folder.length + 1))
    },

    async write(written, options) {
      aborted(options)
      for (const { name } of written) checkWriteName(name)
      for (const { name, bytes } of written) {
        await before?.({ what: 'write', name })
        files.set(name, copyBytes(bytes))
      }
    },

    async remove(names, options) {
      aborted(options)
      for (const name of names) checkWriteName(name)
      for (const name of names) {
        await before?.({ what: 'remove', name })
        files.delete(name)
      }
    },

    async swapHead(expected, next, size, options) {
      aborted(options)
      const name = checkpointName(size)
      checkWriteName(name)
      await before?.({ what: 'head', name })
      // From here on without a pause, so that nobody comes between the comparison and the change.
      const head = files.get('checkpoint')
      if (!(head && expected ? equalBytes(head, expected) : head === expected)) return false
      files.set('checkpoint', copyBytes(next))
      files.set(name, copyBytes(next))
      return true
    },
  }
}
