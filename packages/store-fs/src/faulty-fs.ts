import type { Fs, FsFile } from './fs.ts'

/** The operations that can be made to fail. `partial` writes half and then succeeds, as a full pipe or a signal does. */
export type FsOperation =
  | 'open'
  | 'create'
  | 'read'
  | 'write'
  | 'datasync'
  | 'rename'
  | 'link'
  | 'remove'
  | 'syncDir'
  | 'list'
  | 'mkdir'
  | 'size'

/** Fails operation number `at` (from 1) among those of these kinds; from then on every one with `forever`. */
export interface Fault {
  readonly operations: readonly FsOperation[]
  readonly at: number
  /** The system's code, as `ENOSPC`; `short` halves a write or a read instead of failing. */
  readonly failure: 'EIO' | 'ENOSPC' | 'EROFS' | 'EMFILE' | 'EACCES' | 'short'
  readonly forever?: boolean
}

/** A file system that fails as told, and says how far it came. */
export interface FaultyFs extends Fs {
  /** How many operations of the fault's kinds were asked for. */
  readonly operations: number
  /** Whether the fault has struck. */
  readonly struck: boolean
}

/** Wraps a file system so that a crash or a full disk happens exactly where a test wants it. */
export function faultyFs(fs: Fs, fault: Fault): FaultyFs {
  let operations = 0
  let struck = false

  /** Throws where it is time to; true where only half is to be done. */
  const meets = (operation: FsOperation): boolean => {
    if (!fault.operations.includes(operation)) return false
    operations += 1
    if (operations !== fault.at && !(fault.forever && operations > fault.at)) return false
    struck = true
    if (fault.failure === 'short') return true
    throw Object.assign(new Error(`${fault.failure}: injected into ${operation}`), { code: fault.failure })
  }
  const part = (bytes: Uint8Array, half: boolean) => (half ? bytes.subarray(0, Math.ceil(bytes.length / 2)) : bytes)

  const wrap = (file: FsFile): FsFile => ({
    size: () => file.size(),
    read: async (into, position) => file.read(part(into, meets('read')), position),
    readSync: (into, position) => file.readSync(part(into, meets('read')), position),
    write: async (bytes, position) => file.write(part(bytes, meets('write')), position),
    datasync: async () => {
      meets('datasync')
      await file.datasync()
    },
    close: () => file.close(),
  })
  const guarded = <Result>(operation: FsOperation, run: () => Promise<Result>): Promise<Result> =>
    new Promise<Result>((resolve) => {
      meets(operation)
      resolve(run())
    })

  return {
    open: (path, mode) => guarded(mode === 'read' ? 'open' : 'create', async () => wrap(await fs.open(path, mode))),
    list: (path) => guarded('list', () => fs.list(path)),
    size: (path) => guarded('size', () => fs.size(path)),
    modified: (path) => guarded('size', () => fs.modified(path)),
    mkdir: (path) => guarded('mkdir', () => fs.mkdir(path)),
    rename: (from, to) => guarded('rename', () => fs.rename(from, to)),
    link: (existing, path) => guarded('link', () => fs.link(existing, path)),
    remove: (path) => guarded('remove', () => fs.remove(path)),
    syncDir: (path) => guarded('syncDir', () => fs.syncDir(path)),
    get operations() {
      return operations
    },
    get struck() {
      return struck
    },
  }
}
