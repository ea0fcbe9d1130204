import { readFile, writeFile } from 'node:fs/promises'
import type { Mark } from '@vault/audit-chain'
import { isVaultError } from '@vault/core'
import { expect, test } from 'vitest'
import { openFsMark } from '../src/index.ts'
import { faultyFs, simulatedFs } from '../src/testing.ts'
import { folder } from './folder.ts'

const mark = (size: number): Mark => ({ epoch: 1, sequence: size * 2, size, root: new Uint8Array(32).fill(size) })

test('a mark is kept, and replaced', async () => {
  await using place = await folder()
  const file = openFsMark(`${place.dir}/state/a/mark`)
  expect(await file.read()).toBeUndefined()
  for (const size of [3, 9]) {
    await file.write(mark(size))
    expect(await openFsMark(`${place.dir}/state/a/mark`).read()).toEqual(mark(size))
  }
  await expect(file.write({ ...mark(1), root: new Uint8Array(3) })).rejects.toThrow(RangeError)
})

test('a torn or changed mark is damage, wherever it is torn or changed', async () => {
  await using place = await folder()
  const path = `${place.dir}/mark`
  const file = openFsMark(path)
  await file.write(mark(7))
  const good = await readFile(path)
  const damaged = [
    ...Array.from(good, (_, length) => good.subarray(0, length)),
    ...Array.from(good, (_, at) => good.map((byte, i) => (i === at ? byte ^ 1 : byte))),
    new Uint8Array(good.length),
    new Uint8Array(10_000),
  ]
  for (const bytes of damaged) {
    await writeFile(path, bytes)
    expect(isVaultError(await file.read().catch((error: unknown) => error), 'AUDIT_MARK_DAMAGED')).toBe(true)
  }
})

test('when the power fails at any operation, the old mark or the new one is there', async () => {
  for (let at = 1, struck = true; struck; at++) {
    const disk = simulatedFs()
    await openFsMark('/state/mark', { fs: disk }).write(mark(1))
    const fs = faultyFs(disk, {
      operations: ['create', 'write', 'datasync', 'rename', 'syncDir', 'mkdir'],
      at,
      failure: 'EIO',
      forever: true,
    })
    const failure = await openFsMark('/state/mark', { fs })
      .write(mark(2))
      .catch((error: unknown) => error)
    struck = fs.struck
    expect(isVaultError(failure, 'AUDIT_WRITE_FAILED')).toBe(struck)
    const random = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (at * 37 + i) % 256)
    const found = await openFsMark('/state/mark', { fs: disk.crash(random) }).read()
    expect(struck ? [1, 2] : [2]).toContain(found?.size)
  }
})
