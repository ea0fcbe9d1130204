import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile as writeToDisk } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createMemoryCas, fileInfo, MAX_BLOCK_LENGTH, readFile, writeFile } from '@vault/cas'
import { contentId, type HashName, idBytes, toHex } from '@vault/core'
import { afterAll, beforeAll, expect, test } from 'vitest'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-digests-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** What a `…sum` program says of a file. */
function sumOf(program: string, file: string): string {
  return execFileSync(program, [file], { encoding: 'utf8' }).slice(0, 64)
}

const LENGTHS = [0, 1, MAX_BLOCK_LENGTH, MAX_BLOCK_LENGTH + 1, 5 * MAX_BLOCK_LENGTH + 123]

test.for<[HashName, string]>([
  ['blake3', 'b3sum'],
  ['sha2-256', 'sha256sum'],
])('the id of a block holds its %s as %s computes it', async ([hash, program]) => {
  const bytes = randomBytes(MAX_BLOCK_LENGTH)
  const file = join(folder, program)
  await writeToDisk(file, bytes)
  expect(toHex(idBytes(contentId(bytes, { hash })).subarray(4))).toBe(sumOf(program, file))
})

test.for(LENGTHS)('b3sum and sha256sum agree with what a file of %i bytes states, before and after', async (length) => {
  const store = createMemoryCas()
  const before = join(folder, `before-${length}`)
  const after = join(folder, `after-${length}`)
  const content = randomBytes(length)
  await writeToDisk(before, content)

  const format = { hash: 'blake3', chunker: { kind: 'fixed', size: MAX_BLOCK_LENGTH } } as const
  const { id } = await writeFile(store, [content], format)
  await pipeline(readFile(store, id), createWriteStream(after))

  const { blake3, sha256 } = await fileInfo(store, id)
  for (const file of [before, after]) {
    expect(sumOf('b3sum', file)).toBe(toHex(blake3))
    expect(sumOf('sha256sum', file)).toBe(toHex(sha256))
  }
})
