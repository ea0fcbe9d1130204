import { execFile, spawn } from 'node:child_process'
import { copyFile, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { SeededNumbers } from './seeded-numbers.ts'

const run = promisify(execFile)
const SECTOR = 512
const SIZE = 48 * 1024 * 1024

/** What happened to the disk, in order. */
export type DiskEvent =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'flush' }
  | { readonly kind: 'mark'; readonly text: string }

/** A file system on a disk that records what is done to it. */
export interface RecordedDisk {
  /** Where the file system is mounted. */
  readonly dir: string
  /** Puts a word into the record, behind everything that was written before. */
  mark(text: string): Promise<void>
  /** Unmounts it; gives the disk as it was before the file system was mounted for the first time, and the record. */
  end(): Promise<{ readonly blank: string; readonly events: readonly DiskEvent[] }>
}

/** Needs root, FUSE, a free loop device and a C compiler. */
export async function recordDisk(folder: string): Promise<RecordedDisk> {
  const at = (name: string) => join(folder, name)
  const flags = (await run('pkg-config', ['--cflags', '--libs', 'fuse3'])).stdout.trim().split(/\s+/)
  await run('cc', ['-O2', '-o', at('recording-disk'), join(import.meta.dirname, 'recording-disk.c'), ...flags])
  await makeImage(at('blank'))
  await copyFile(at('blank'), at('image'))
  for (const name of ['fuse', 'mounted']) await mkdir(at(name))
  const server = spawn(at('recording-disk'), [at('image'), at('record'), at('fuse'), '-s', '-f'], { stdio: 'inherit' })
  await until(async () => (await readFile(at('fuse/mark')).catch(() => undefined)) !== undefined)
  await run('mount', ['-o', 'loop', at('fuse/disk'), at('mounted')])
  return {
    dir: at('mounted'),
    mark: (text) => writeFile(at('fuse/mark'), text),
    async end() {
      await run('umount', [at('mounted')])
      const ended = new Promise((resolve) => server.once('close', resolve))
      await run('umount', [at('fuse')])
      await ended
      return { blank: at('blank'), events: parseRecord(await readFile(at('record'))) }
    },
  }
}

async function makeImage(path: string): Promise<void> {
  const file = await open(path, 'w')
  await file.truncate(SIZE)
  await file.close()
  await run('mkfs.ext4', ['-q', '-F', path])
}

function parseRecord(record: Buffer): readonly DiskEvent[] {
  const events: DiskEvent[] = []
  for (let at = 0; at < record.length; ) {
    const [kind, offset, length] = [record[at], Number(record.readBigUInt64LE(at + 1)), record.readUInt32LE(at + 9)]
    at += 13
    const bytes = record.subarray(at, at + length)
    at += length
    if (kind === 'W'.charCodeAt(0)) events.push({ kind: 'write', offset, bytes })
    else if (kind === 'F'.charCodeAt(0)) events.push({ kind: 'flush' })
    else events.push({ kind: 'mark', text: bytes.toString() })
  }
  return events
}

/**
 * The disk as a loss of power behind the first `count` events leaves it: everything that a flush was told of, and of later writes what
 * chance leaves, whole, in part, or not at all.
 */
export class CutDisk {
  readonly #events: readonly DiskEvent[]
  readonly #steady: string
  readonly #path: string
  /** Events that are in the steady image: up to the last flush. */
  #applied = 0

  private constructor(events: readonly DiskEvent[], steady: string, path: string) {
    this.#events = events
    this.#steady = steady
    this.#path = path
  }

  static async begin(folder: string, blank: string, events: readonly DiskEvent[]): Promise<CutDisk> {
    const steady = join(folder, 'steady')
    await copyFile(blank, steady)
    return new CutDisk(events, steady, join(folder, 'cut'))
  }

  /** The path of its image. `count` never goes down. */
  async at(count: number, numbers: SeededNumbers): Promise<string> {
    const flush = this.#events.slice(0, count).findLastIndex(({ kind }) => kind === 'flush')
    await write(this.#steady, writesOf(this.#events.slice(this.#applied, flush + 1)))
    this.#applied = Math.max(this.#applied, flush + 1)
    await run('cp', ['--sparse=always', this.#steady, this.#path])
    const left = writesOf(this.#events.slice(this.#applied, count)).flatMap((write) => {
      const chance = numbers.below(4)
      if (chance < 2) return []
      // The file system counts on its first block being written whole.
      if (chance === 2 || write.offset === 0) return [write]
      // Torn at sectors, which a disk writes whole.
      const sectors = Math.ceil(write.bytes.length / SECTOR)
      return Array.from({ length: sectors }, (_, i) => ({
        offset: write.offset + i * SECTOR,
        bytes: write.bytes.subarray(i * SECTOR, (i + 1) * SECTOR),
      })).filter(() => numbers.below(2) === 0)
    })
    // In any order.
    for (let i = left.length - 1; i > 0; i--) {
      const other = numbers.below(i + 1)
      ;[left[i], left[other]] = [left[other] as Write, left[i] as Write]
    }
    await write(this.#path, left)
    return this.#path
  }
}

interface Write {
  readonly offset: number
  readonly bytes: Uint8Array
}

function writesOf(events: readonly DiskEvent[]): Write[] {
  return events.flatMap((event) => (event.kind === 'write' ? [{ offset: event.offset, bytes: event.bytes }] : []))
}

async function write(path: string, writes: readonly Write[]): Promise<void> {
  const file = await open(path, 'r+')
  try {
    for (const { offset, bytes } of writes) await file.write(bytes, 0, bytes.length, offset)
  } finally {
    await file.close()
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('The recording disk did not appear.')
}
