import { utf8 } from '@vault/core'
import { expect, test } from 'vitest'
import type { Fs } from '../src/index.ts'
import { nodeFs, openFsCas } from '../src/index.ts'
import { faultyFs } from '../src/testing.ts'
import { folder } from './folder.ts'

/** A file system that fails the next read of a segment, or the next opening of one, when it is told to. */
function failingOnce(): { fs: Fs; fail(operation: 'read' | 'open', code: string): void } {
  let next: { operation: 'read' | 'open'; code: string } | undefined
  const meets = (operation: 'read' | 'open', path: string) => {
    if (next?.operation !== operation || !path.endsWith('.pack')) return
    const { code } = next
    next = undefined
    throw Object.assign(new Error(code), { code })
  }
  const fs: Fs = {
    ...nodeFs,
    async open(path, mode) {
      meets('open', path)
      const file = await nodeFs.open(path, mode)
      return {
        ...file,
        async read(into, position) {
          meets('read', path)
          return file.read(into, position)
        },
      }
    },
  }
  return {
    fs,
    fail(operation, code) {
      next = { operation, code }
    },
  }
}

test.each([
  ['read', 'EIO'],
  ['open', 'EMFILE'],
] as const)('a %s that fails once with %s is named, and hides nothing afterwards', async (operation, code) => {
  await using place = await folder()
  const { fs, fail } = failingOnce()
  await using reader = await openFsCas({ dir: place.dir, mode: 'read', fs })
  await using writer = await openFsCas({ dir: place.dir, mode: 'write' })
  const id = await writer.put(utf8('durable'))
  fail(operation, code)
  const file = expect.stringMatching(/\.pack$/)
  await expect(reader.get(id)).rejects.toMatchObject({ code: 'CAS_READ_FAILED', details: { file, errno: code } })
  expect(await reader.get(id)).toEqual(utf8('durable'))
  expect(await reader.has(id)).toBe(true)
})

test('a refused write names the folder and why', async () => {
  for (const failure of ['ENOSPC', 'EROFS', 'EACCES'] as const) {
    await using place = await folder()
    const fs = faultyFs(nodeFs, { operations: ['create', 'mkdir'], at: 1, failure, forever: true })
    await using cas = await openFsCas({ dir: place.dir, mode: 'write', fs })
    const details = { file: `${place.dir}/objects`, errno: failure }
    await expect(cas.put(utf8('a'))).rejects.toMatchObject({ code: 'CAS_WRITE_FAILED', details })
  }
})
