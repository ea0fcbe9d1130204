import type { StagingLogStore } from '@vault/audit-chain'
import { checkFolder, checkReadName, checkWriteName } from '@vault/audit-chain'
import type { AbortOptions, Clock, Random } from '@vault/core'
import { systemClock, systemRandom, VaultError } from '@vault/core'
import type { Fs } from './fs.ts'
import { LogFiles, TEMPORARY } from './log-files.ts'
import { LogHead } from './log-head.ts'
import { smallFileFs } from './small-file-fs.ts'
import { logReadFailed, logWriteFailed } from './system-refusal.ts'

/** How a log in a folder is opened. */
export interface FsLogStoreOptions {
  /** The folder of the log: what is served to its readers, but for `.state`. */
  readonly dir: string
  /** `read` writes nothing at all, and works on a read-only disk. `write` makes the folder where there is none. */
  readonly mode: 'read' | 'write'
  readonly fs?: Fs
  readonly random?: Random
  /** Tells the age of files that an interrupted session left. */
  readonly clock?: Clock
}

/**
 * A log as static files (formats/audit-log.md), which any client of C2SP tlog-tiles reads. Several processes may have it
 * open, and write it, at once. What the system refuses is `AUDIT_READ_FAILED` or `AUDIT_WRITE_FAILED`.
 */
export async function openFsLogStore(
  { dir, mode, fs = smallFileFs, random = systemRandom, clock = systemClock }: FsLogStoreOptions,
  options?: AbortOptions,
): Promise<StagingLogStore> {
  options?.signal?.throwIfAborted()
  const files = new LogFiles(fs, dir, random)
  const head = new LogHead(fs, files, mode === 'write')
  const reading = async <Result>(run: () => Promise<Result>, abort?: AbortOptions): Promise<Result> => {
    abort?.signal?.throwIfAborted()
    return await run().catch((error: unknown) => {
      throw logReadFailed(dir, error)
    })
  }
  const writing = async <Result>(run: () => Promise<Result>, abort?: AbortOptions): Promise<Result> => {
    abort?.signal?.throwIfAborted()
    if (mode === 'read') throw readOnly(dir)
    return await run().catch((error: unknown) => {
      throw logWriteFailed(dir, error)
    })
  }
  if (mode === 'write') {
    await writing(async () => {
      for (const folder of [TEMPORARY, 'checkpoints']) await files.makeFolder(files.path(folder))
      await files.sweep(clock)
      await head.read()
    })
  }
  return {
    read: async (name, abort) => {
      checkReadName(name)
      return await reading(() => files.read(name), abort)
    },
    head: (abort) => reading(() => head.read(), abort),
    list: async (folder, abort) => {
      checkFolder(folder)
      return await reading(async () => (await files.list(folder)).filter((name) => /^\d+$/.test(name)), abort)
    },
    write: async (written, abort) => {
      for (const { name } of written) checkWriteName(name)
      await writing(() => files.write(written), abort)
    },
    stage: async (staged, abort) => {
      for (const { name } of staged) checkWriteName(name)
      await writing(() => files.stage(staged), abort)
    },
    remove: async (names, abort) => {
      for (const name of names) checkWriteName(name)
      await writing(() => files.remove(names), abort)
    },
    swapHead: async (expected, next, size, abort) => {
      checkWriteName(`checkpoints/${size}`)
      return await writing(() => head.swap(expected, next, size), abort)
    },
  }
}

function readOnly(dir: string): Error {
  return new VaultError({
    code: 'AUDIT_READ_ONLY',
    message: `The log in ${dir} was opened for reading: open it with mode 'write'.`,
    details: { dir },
  })
}
