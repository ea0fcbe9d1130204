import {
  close,
  closeSync,
  fstat,
  fstatSync,
  lstat,
  lstatSync,
  open,
  openSync,
  read,
  readSync,
  type Stats,
} from 'node:fs'
import { promisify } from 'node:util'

const later = {
  open: promisify(open),
  fstat: promisify(fstat) as (fd: number) => Promise<Stats>,
  lstat: promisify(lstat) as (path: string) => Promise<Stats>,
  read: promisify(read),
  close: promisify(close),
}

/** Milliseconds. A call that takes longer has waited for the disk; where everything is in memory, one takes some hundredths. */
const WAITED = 0.25
/** So many calls after one that waited are made beside each other. */
const CALLS_BESIDE = 256
/** Reads up to this length are done at once. */
const MAX_AT_ONCE = 128 * 1024

/**
 * The disk that files are put from. Asking the system at once costs a tenth of asking it through the thread pool, and four of the
 * calls that a small file takes are most of the time that it takes. But only the pool waits for several files at the same time: so
 * as soon as a call has to wait for the disk, the next ones go there.
 */
export class SourceDisk {
  #beside = 0

  async lstat(path: string): Promise<Stats> {
    return await this.#call(
      () => lstatSync(path),
      () => later.lstat(path),
    )
  }

  async open(path: string, flags: number): Promise<number> {
    return await this.#call(
      () => openSync(path, flags),
      () => later.open(path, flags),
    )
  }

  async stat(file: number): Promise<Stats> {
    return await this.#call(
      () => fstatSync(file),
      () => later.fstat(file),
    )
  }

  /** Reads on from where the file stands, until the buffer is full or the file ends; gives the number of bytes. */
  async fill(file: number, buffer: Uint8Array): Promise<number> {
    let length = 0
    while (length < buffer.length) {
      const [at, left] = [length, buffer.length - length]
      const beside = async () => (await later.read(file, buffer, at, left, null)).bytesRead
      const got =
        left > MAX_AT_ONCE ? await beside() : await this.#call(() => readSync(file, buffer, at, left, null), beside)
      if (got === 0) break
      length += got
    }
    return length
  }

  async close(file: number): Promise<void> {
    await this.#call(
      () => closeSync(file),
      () => later.close(file),
    )
  }

  #call<Result>(atOnce: () => Result, beside: () => Promise<Result>): Result | Promise<Result> {
    if (this.#beside > 0) {
      this.#beside -= 1
      return beside()
    }
    const start = performance.now()
    try {
      return atOnce()
    } finally {
      if (performance.now() - start > WAITED) this.#beside = CALLS_BESIDE
    }
  }
}
