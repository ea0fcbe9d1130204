import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** How many files of which lengths; `compressible` is the share whose bytes repeat. */
export interface FileClass {
  readonly count: number
  readonly minimum: number
  readonly maximum: number
  readonly compressible: number
}

const KIB = 1024
const MIB = 1024 * 1024

/** The named workloads. `standard`: 22,010 files, 1.1 GB. `million`: 1,000,000 files of 200 to 2,000 bytes. */
export const WORKLOADS: Readonly<Record<string, readonly FileClass[]>> = {
  standard: [
    { count: 20_000, minimum: 1 * KIB, maximum: 16 * KIB, compressible: 0.5 },
    { count: 2_000, minimum: 64 * KIB, maximum: 512 * KIB, compressible: 0.25 },
    { count: 10, minimum: 32 * MIB, maximum: 32 * MIB, compressible: 0 },
  ],
  tenth: [
    { count: 2_000, minimum: 1 * KIB, maximum: 16 * KIB, compressible: 0.5 },
    { count: 200, minimum: 64 * KIB, maximum: 512 * KIB, compressible: 0.25 },
    { count: 1, minimum: 32 * MIB, maximum: 32 * MIB, compressible: 0 },
  ],
  million: [{ count: 1_000_000, minimum: 200, maximum: 2_000, compressible: 0.5 }],
}

const FILES_PER_FOLDER = 500

/** Numbers from a seed: xorshift128, which is fast and the same everywhere. */
class SeededNumbers {
  readonly #state: Uint32Array

  constructor(seed: number) {
    this.#state = new Uint32Array([seed | 1, 0x9e3779b9, 0x243f6a88, 0xb7e15162])
  }

  next(): number {
    const s = this.#state
    let t = s[3] as number
    const first = s[0] as number
    s[3] = s[2] as number
    s[2] = s[1] as number
    s[1] = first
    t ^= t << 11
    t ^= t >>> 8
    s[0] = t ^ first ^ (first >>> 19)
    return s[0] as number
  }

  below(limit: number): number {
    return this.next() % limit
  }

  fill(bytes: Buffer): void {
    for (let i = 0; i + 4 <= bytes.length; i += 4) bytes.writeUInt32LE(this.next(), i)
    for (let i = bytes.length & ~3; i < bytes.length; i++) bytes[i] = this.next()
  }
}

/** Writes the files of a workload under a folder; gives their number and the sum of their lengths. */
export async function makeWorkload(
  dir: string,
  classes: readonly FileClass[],
  seed: number,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const numbers = new SeededNumbers(seed)
  const total = { files: 0, bytes: 0 }
  for (const [c, { count, minimum, maximum, compressible }] of classes.entries()) {
    for (let i = 0; i < count; i++) {
      const path = pathOf(dir, c, i)
      if (i % FILES_PER_FOLDER === 0) await mkdir(dirname(path), { recursive: true })
      const content = Buffer.alloc(minimum + numbers.below(maximum - minimum + 1))
      if (numbers.below(1000) < compressible * 1000) {
        const line = Buffer.alloc(61)
        numbers.fill(line)
        for (let at = 0; at < content.length; at += line.length) line.copy(content, at)
        content.writeUInt32LE(numbers.next(), 0)
      } else numbers.fill(content)
      await writeFile(path, content)
      total.files++
      total.bytes += content.length
    }
  }
  return total
}

/** Changes one byte of every `share`-th file of each class, other files and another byte for each generation. */
export async function changeSome(
  dir: string,
  classes: readonly FileClass[],
  share: number,
  generation: number,
): Promise<void> {
  for (const [c, { count }] of classes.entries()) {
    for (let i = generation % share; i < count; i += share) {
      const path = pathOf(dir, c, i)
      const content = await readFile(path)
      content[generation % content.length] = (content[generation % content.length] as number) ^ 1
      await writeFile(path, content)
    }
  }
}

function pathOf(dir: string, classNumber: number, file: number): string {
  const folder = String(Math.floor(file / FILES_PER_FOLDER)).padStart(5, '0')
  return join(dir, `class-${classNumber}`, folder, `${file}.bin`)
}
