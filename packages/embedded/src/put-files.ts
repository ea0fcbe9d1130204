import type { Reason } from './act.ts'
import { fileBatches } from './file-batches.ts'
import { putPaths } from './put-paths.ts'
import { changedFiles } from './seen/changed-files.ts'
import type { SeenFiles } from './seen/seen-files.ts'
import { SourceDisk } from './source-disk.ts'
import { isSkipped, type SourcePath } from './source-file.ts'
import { type PutFile, rehearseBatches, type StoreOptions, type StoreParts, storeBatches } from './store-batches.ts'
import { walkFiles } from './walk.ts'

/** What putting files reports as it goes; counts are those of everything so far. */
export type PutEvent =
  /** A batch is durable. `files`, `objects` and `added` are named and under charge; `bytes` may be of a file still to be named. */
  | {
      readonly type: 'stored'
      readonly files: number
      readonly objects: number
      readonly added: number
      readonly bytes: number
      /** Those of the files that were not read, because they look as they did when they were put. */
      readonly unchanged: number
    }
  /** Something on disk that does not go into a vault. */
  | { readonly type: 'skipped'; readonly path: string; readonly reason: string }

/** The parts of a vault that putting files needs. */
export interface PutParts extends StoreParts {
  /** The vault's own folder, never put into itself. */
  readonly exclude: string
  /** How files looked when they were put. Without it every file is read. */
  readonly seen?: SeenFiles | undefined
}

export interface PutOptions extends StoreOptions, Reason {
  /** Reads and hashes everything and writes nothing; `added` is then what would be new, counted once for each batch. */
  readonly dryRun?: boolean
  /** Reads also files that look as they did when they were put: device, number, length, mode and times. Default: `false`. */
  readonly reread?: boolean
  /** Takes private keys as well, which are otherwise refused: whoever reads the vault, or a copy of it, could take them. Default: `false`. */
  readonly allowSecrets?: boolean
}

/**
 * Puts files and folders under the names of `nameFromPath`. What an event reports as named stays if a later file fails;
 * of a file that fails, or is stopped, nothing is under charge. Content that is under charge and held is not written
 * again, unless `again` says so. A file that is a private key is refused with `FILE_SECRET`.
 *
 * The disk is the truth: where a folder is now, a file of that name goes, and the other way round. An argument that lies
 * within another, by path and by name, is put once. Where two arguments from different places bring the same name, or a
 * name under a file's, the later wins.
 *
 * With `seen`, a file that looks as it did when it was put, and that the vault still has by its name, is not read.
 *
 * A file of more than 65,536 blocks comes under charge in several changes, its name with the last: a process that dies
 * between them leaves blocks under charge that nothing names, until the file is put again.
 */
export async function* putFiles(
  parts: PutParts,
  paths: readonly string[],
  options: PutOptions = {},
): AsyncGenerator<PutEvent> {
  options.signal?.throwIfAborted()
  const { exclude, content, seen } = parts
  const [disk, { signal }] = [new SourceDisk(), options]
  const skipped: PutEvent[] = []
  const total = { files: 0, objects: 0, added: 0, bytes: 0, unchanged: 0 }
  const count = ({ file, seen: { blocks } }: PutFile) => {
    total.files += 1
    total.unchanged += 1
    total.objects += blocks
    total.bytes += file.stats.size
  }
  const sources = await putPaths(paths)
  const all = walkFiles(sources, { disk, exclude, signal })
  // Where one argument may take a name that another one gives, all are put, so that the later wins.
  const skips = seen !== undefined && !options.again && !options.reread && areApart(sources)
  const files = skips ? changedFiles(all, { ...parts, seen }, count, options) : all
  const found = fileBatches(files, { disk, content }, options)
  async function* batches() {
    for await (const batch of found) {
      if (isSkipped(batch)) skipped.push({ type: 'skipped', path: batch.path, reason: batch.skipped })
      else yield batch
    }
  }
  const store = options.dryRun ? rehearseBatches : storeBatches
  let reported = 0
  for await (const { files, objects, added, bytes, named } of store(parts, batches(), options)) {
    seen?.add(named)
    total.files += files
    total.objects += objects
    total.added += added
    total.bytes += bytes
    yield* skipped.splice(0)
    reported = total.files
    yield { type: 'stored', ...total }
  }
  yield* skipped
  if (total.files > reported) yield { type: 'stored', ...total }
}

/** Whether no name is another one's, or lies under it. */
function areApart(sources: readonly SourcePath[]): boolean {
  const names = sources.map(({ name }) => `${name}/`)
  return names.every((name, i) => names.every((other, j) => i === j || (name !== '/' && !other.startsWith(name))))
}
