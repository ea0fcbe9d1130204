import type { Block } from '@vault/cas'
import { isVaultError } from '@vault/core'
import { BatchEncoder, type BufferPool } from './batch-encoder.ts'
import type { PackIndex } from './pack-index.ts'
import type { SegmentWriter } from './segment-writer.ts'
import { writeFailed } from './system-refusal.ts'

/** Content of single puts that goes into one group. */
const MAX_GROUP_LENGTH = 8 * 1024 * 1024

interface WaitingPut {
  readonly block: Block
  resolve(segment: string): void
  reject(error: unknown): void
}

/** Brings all writes of a session into one order: groups one after the other, single puts sharing the next one. */
export class GroupCommit {
  readonly #writer: SegmentWriter
  readonly #index: PackIndex
  readonly #pool: BufferPool
  #last: Promise<unknown> = Promise.resolve()
  #waiting: WaitingPut[] = []
  #scheduled = false

  constructor(writer: SegmentWriter, index: PackIndex, pool: BufferPool) {
    this.#writer = writer
    this.#index = index
    this.#pool = pool
  }

  /** Resolves to the segment's name when the block is durable. Puts that come while a flush runs share the next one. The bytes must stay as they are. */
  put(block: Block): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ block, resolve, reject })
      this.#schedule()
    })
  }

  /** Writes these blocks as one group; resolves to the segment's name when they are durable. The bytes are encoded at once. */
  append(blocks: readonly Block[]): Promise<string> {
    const batch = new BatchEncoder(blocks, this.#pool)
    return this.#exclusively(() => this.#write(batch))
  }

  /** Waits for everything under way, then seals the segment. */
  async close(): Promise<void> {
    await this.#exclusively(() => this.#writer.seal())
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    void this.#exclusively(() => this.#flush())
  }

  /** Writes what waits, up to a group's length. Never rejects: those who wait are told. */
  async #flush(): Promise<void> {
    this.#scheduled = false
    let length = 0
    let count = 0
    while (count < this.#waiting.length && length < MAX_GROUP_LENGTH) {
      length += (this.#waiting[count++] as WaitingPut).block.bytes.length
    }
    const puts = this.#waiting.splice(0, count)
    if (this.#waiting.length > 0) this.#schedule()
    try {
      const blocks = puts.map(({ block }) => block)
      const segment = await this.#write(new BatchEncoder(blocks, this.#pool))
      for (const put of puts) put.resolve(segment)
    } catch (error) {
      for (const put of puts) put.reject(error)
    }
  }

  async #write(batch: BatchEncoder): Promise<string> {
    try {
      if (this.#index.overfull) await this.#index.maintain()
      const segment = await this.#writer.append(batch)
      // Beside the next writes. Where it fails the rows stay in memory, and the next group tries again.
      if (this.#index.full) this.#index.maintain().catch(() => {})
      return segment
    } catch (error) {
      throw isVaultError(error) ? error : writeFailed(this.#writer.folder, error)
    }
  }

  #exclusively<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(run, run)
    this.#last = result.catch(() => {})
    return result
  }
}
