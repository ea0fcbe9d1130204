/**
 * An open file. Positions are explicit, so that readers share one handle. Errors are the system's own, with its `code`
 * (`ENOENT`, `ENOSPC` …).
 */
export interface FsFile {
  size(): Promise<number>
  /** Bytes read into the beginning of `into`: fewer than asked for only at the end of the file, or where the system gives less. */
  read(into: Uint8Array, position: number): Promise<number>
  /** The same at once, for a few kibibytes: ten times cheaper than a promise where the page is in memory. */
  readSync(into: Uint8Array, position: number): number
  /** Bytes written, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>
  /** Resolves when everything written and the length are on stable storage (`fdatasync`). */
  datasync(): Promise<void>
  close(): Promise<void>
}

/** What a store asks of a file system. Injected, so that tests can fail any call and keep any write back. */
export interface Fs {
  /** `create` is exclusive: it fails with `EEXIST` where the name is taken. */
  open(path: string, mode: 'read' | 'create'): Promise<FsFile>
  /** Names in a folder, in no order. */
  list(path: string): Promise<readonly string[]>
  /** Length of a file. */
  size(path: string): Promise<number>
  /** When a file was last written, in milliseconds since 1970. */
  modified(path: string): Promise<number>
  /** Makes a folder; one that is there is no error, none to make it in is `ENOENT`. */
  mkdir(path: string): Promise<void>
  /** Atomically, replacing what had the name. */
  rename(from: string, to: string): Promise<void>
  /** A further name for a file, atomically; fails with `EEXIST` where the name is taken. */
  link(existing: string, path: string): Promise<void>
  remove(path: string): Promise<void>
  /** Resolves when the names in a folder are on stable storage. */
  syncDir(path: string): Promise<void>
}

/** The system's code of an error, as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Reads until `into` is full or the file ends; the number of bytes read. */
export async function readFully(file: FsFile, into: Uint8Array, position: number): Promise<number> {
  let length = 0
  while (length < into.length) {
    const read = await file.read(into.subarray(length), position + length)
    if (read === 0) break
    length += read
  }
  return length
}

/** As {@link readFully}, at once. */
export function readFullySync(file: FsFile, into: Uint8Array, position: number): number {
  let length = 0
  while (length < into.length) {
    const read = file.readSync(into.subarray(length), position + length)
    if (read === 0) break
    length += read
  }
  return length
}

/** Writes all of it, however little the system takes at a time. */
export async function writeFully(file: FsFile, bytes: Uint8Array, position: number): Promise<void> {
  let length = 0
  while (length < bytes.length) {
    const written = await file.write(bytes.subarray(length), position + length)
    if (written === 0) throw new Error('The system wrote nothing and gave no reason')
    length += written
  }
}
