import type { Block } from '@vault/cas'
import {
  appendRecord,
  createPackBuffer,
  createPackGroup,
  GROUP_END_LENGTH,
  PACK_ROW_LENGTH,
  type PackBuffer,
  type PackGroup,
  PackRows,
  recordLength,
  shiftRow,
  viewOf,
} from '@vault/cas'
import type { Bytes } from '@vault/core'
import { idBytes } from '@vault/core'
import type { FsFile } from './fs.ts'
import { writeFully } from './fs.ts'

/**
 * Records are copied into buffers of this length, each one write. Measured for 256 MiB: copying costs as much as
 * `writev` with two entries for each record, with blocks of 1 KiB and of 1 MiB alike.
 */
const BUFFER_LENGTH = 8 * 1024 * 1024

/** Buffers that go round instead of being allocated, and their pages faulted in, for each batch. */
export class BufferPool {
  readonly #free: PackBuffer[] = []

  take(): PackBuffer {
    return this.#free.pop() ?? createPackBuffer(new Uint8Array(BUFFER_LENGTH))
  }

  give(buffer: PackBuffer): void {
    buffer.length = 0
    // Two batches in flight have two buffers each.
    if (this.#free.length < 4) this.#free.push(buffer)
  }
}

/** A batch on its way to a segment: one group, encoded buffer by buffer. Its first buffer is filled at once. */
export class BatchEncoder {
  readonly #blocks: readonly Block[]
  readonly #pool: BufferPool
  readonly group: PackGroup = createPackGroup()
  /** With offsets from the beginning of the group, whose place is not known before it is written. */
  readonly #rows = new PackRows()
  #next = 0
  #ready: PackBuffer | undefined

  constructor(blocks: readonly Block[], pool: BufferPool) {
    this.#blocks = blocks
    this.#pool = pool
    this.#ready = this.#fill()
  }

  /** Whether every record has been encoded; the buffer then has room for the group's end. */
  get finished(): boolean {
    return this.#next === this.#blocks.length
  }

  /** The next buffer to be written; `undefined` behind the last. */
  take(): PackBuffer | undefined {
    const ready = this.#ready ?? (this.finished ? undefined : this.#fill())
    this.#ready = undefined
    return ready
  }

  /** Writes a buffer that `take` gave, which is used again afterwards. */
  async write(buffer: PackBuffer, file: FsFile, position: number): Promise<void> {
    try {
      await writeFully(file, buffer.bytes.subarray(0, buffer.length), position)
    } finally {
      this.#pool.give(buffer)
    }
  }

  /** Rows of all records, of a group that begins here. To be called once. */
  placedAt(start: number): Bytes {
    const rows = this.#rows.bytes
    const view = viewOf(rows)
    for (let at = 0; at < rows.length; at += PACK_ROW_LENGTH) shiftRow(view, at, start)
    return rows
  }

  #fill(): PackBuffer {
    const buffer = this.#pool.take()
    for (; this.#next < this.#blocks.length; this.#next++) {
      const { id, bytes } = this.#blocks[this.#next] as Block
      if (buffer.length + recordLength(bytes) > BUFFER_LENGTH - GROUP_END_LENGTH) break
      const binary = idBytes(id)
      this.#rows.append(binary, this.group.length, bytes.length, bytes.length)
      appendRecord(buffer, this.group, binary, bytes)
    }
    return buffer
  }
}
