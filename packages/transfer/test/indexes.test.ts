import { concatBytes, type Prefix, type Subtree, VaultError } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { exportIndexes, type ImportedIndexes, importIndexes, sameRoots, statementOf } from '../src/index.ts'
import { activeVault, collect, commit, fill, type MemoryVault, pathEntry, rawBlock } from './memory-vault.ts'

async function indexesOf({ soup }: MemoryVault): Promise<Uint8Array> {
  return concatBytes(...(await collect(exportIndexes(soup))))
}

async function importAll({ soup }: MemoryVault, data: Uint8Array, step = 1000): Promise<ImportedIndexes> {
  return await importIndexes(soup, chunksOf(data, step))
}

async function* chunksOf(data: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += step) yield data.subarray(at, at + step)
}

async function filled(name: string, count: number): Promise<MemoryVault> {
  const vault = await activeVault(name)
  await fill(vault, count)
  return vault
}

/** Has a soup keep what is not true, as a defect or a hand in its database would. */
async function poison({ soup }: MemoryVault, prefix: Prefix, subtree: Subtree): Promise<void> {
  await soup.view((view) => view.objects.keep(new Map([[prefix, subtree]])))
}

const codesOf = ({ findings }: ImportedIndexes) => [...new Set(findings.map(({ code }) => code))]
const HEADER = 16 + 2 * 40

describe('exportIndexes', () => {
  test('equal vaults have equal bytes, whatever their history', async () => {
    const a = await filled('a', 2_500)
    const b = await activeVault('b')
    await fill(b, 300)
    await statementOf(b.soup)
    await commit(b, [rawBlock('passing')], [pathEntry('passing', rawBlock('passing').id)])
    await statementOf(b.soup)
    await b.soup.commit({
      epoch: 0,
      entries: { remove: ['path:passing'] },
      objects: { release: [rawBlock('passing').id] },
    })
    await fill(b, 2_500)
    const [first, second] = [await indexesOf(a), await indexesOf(b)]
    expect(sameRoots(await statementOf(a.soup), await statementOf(b.soup))).toBe(true)
    expect(second).toEqual(first)
    expect((first.length - HEADER) % 640).toBe(0)
    expect(first.length).toBe(HEADER + 2 * 17 * 640)
  })

  test('a vault of few keys has no branches', async () => {
    expect((await indexesOf(await filled('a', 64))).length).toBe(HEADER)
    expect((await indexesOf(await filled('a', 65))).length).toBe(HEADER + 2 * 640)
    expect((await indexesOf(await activeVault('a'))).length).toBe(HEADER)
  })

  test('stops where the vault changes meanwhile', async () => {
    const vault = await filled('a', 100)
    const chunks = exportIndexes(vault.soup)
    await chunks.next()
    await commit(vault, [rawBlock('more')])
    const error = await chunks.next().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(VaultError)
    expect(error).toMatchObject({ code: 'TRANSFER_INDEX_CHANGED', details: { sequence: 1, now: 2 } })
  })
})

describe('importIndexes', () => {
  test('finds nothing where both are the same, in pieces of any size', async () => {
    const data = await indexesOf(await filled('a', 700))
    const target = await filled('b', 700)
    const statement = await statementOf(target.soup)
    for (const step of [1, 39, 640, data.length]) {
      const imported = await importAll(target, data, step)
      expect(imported).toEqual({
        statement,
        claimed: statement.roots,
        compared: 2 + (data.length - HEADER) / 40,
        findings: [],
        whole: true,
      })
    }
  })

  test('names the subtrees in which two vaults differ', async () => {
    const source = await filled('a', 700)
    const data = await indexesOf(source)
    const target = await filled('b', 700)
    await commit(target, [rawBlock('more')])
    const { findings, claimed, statement, whole } = await importAll(target, data)
    expect(whole).toBe(true)
    expect(claimed).toEqual((await statementOf(source.soup)).roots)
    expect(statement).toEqual(await statementOf(target.soup))
    expect(findings.map(({ code }) => code)).toEqual(findings.map(() => 'TRANSFER_INDEX_MISMATCH'))
    const subjects = findings.map(({ subject }) => subject ?? '')
    expect(subjects[0]).toBe('objects/')
    expect(subjects.length).toBeGreaterThan(1)
    // They lead down to one row.
    for (const [i, subject] of subjects.entries()) expect(subject.startsWith(subjects[i - 1] ?? '')).toBe(true)
  })

  test('finds what the source keeps wrongly, and relies on none of it', async () => {
    const source = await filled('a', 700)
    const target = await filled('b', 700)
    const before = await statementOf(target.soup)
    const own = await indexesOf(target)
    await statementOf(source.soup)
    await poison(source, '3', { hash: new Uint8Array(32).fill(9), count: 40 })
    const imported = await importAll(target, await indexesOf(source))
    expect(imported.findings.map(({ subject }) => subject)).toEqual(expect.arrayContaining(['objects/', 'objects/3']))
    expect(imported.statement).toEqual(before)
    expect(await statementOf(target.soup)).toEqual(before)
    expect(await indexesOf(target)).toEqual(own)
  })

  test('makes the target right where its own kept subtrees were wrong, though the data say the same', async () => {
    const source = await filled('a', 700)
    const target = await filled('b', 700)
    const right = await statementOf(source.soup)
    const wrong = { hash: new Uint8Array(32).fill(9), count: 40 }
    await statementOf(target.soup)
    await poison(source, 'b', wrong)
    await poison(target, 'b', wrong)
    // Without a look at the rows both agree.
    const agreed = await statementOf(source.soup)
    expect(await statementOf(target.soup)).toEqual(agreed)
    expect(sameRoots(agreed, right)).toBe(false)
    const imported = await importAll(target, await indexesOf(source))
    expect(imported.statement.roots).toEqual(right.roots)
    expect((await statementOf(target.soup)).roots).toEqual(right.roots)
    expect(codesOf(imported)).toEqual(['TRANSFER_INDEX_MISMATCH'])
  })

  test('no changed byte passes, and none changes the target', async () => {
    const target = await filled('a', 300)
    const data = await indexesOf(target)
    const before = await statementOf(target.soup)
    for (let at = 0; at < data.length; at += at < HEADER + 40 ? 1 : 37) {
      const { findings, statement } = await importAll(target, data.with(at, (data[at] as number) ^ 1))
      expect(findings.length, `byte ${at}`).toBeGreaterThan(0)
      expect(statement).toEqual(before)
    }
    expect(await indexesOf(target)).toEqual(data)
  })

  test.for<[string, (data: Uint8Array) => Uint8Array]>([
    ['nothing', () => new Uint8Array()],
    ['a part of the header', (data) => data.subarray(0, HEADER - 1)],
    ['a byte less', (data) => data.subarray(0, -1)],
    ['a branch less', (data) => data.subarray(0, -640)],
    ['a byte more', (data) => concatBytes(data, new Uint8Array(1))],
    ['another version', (data) => data.with(14, 0x32)],
    ['a count above 2^53', (data) => data.with(16 + 32, 0xff)],
  ])('says that data are malformed: %s', async ([, change]) => {
    const target = await filled('a', 300)
    const imported = await importAll(target, change(await indexesOf(target)))
    expect(imported.whole).toBe(false)
    expect(imported.findings.at(-1)).toMatchObject({ code: 'TRANSFER_INDEX_INVALID', subject: 'indexes' })
    expect(imported.statement).toEqual(await statementOf(target.soup))
  })

  test('reads no more of endless data than a thousand findings take', async () => {
    const target = await filled('a', 300)
    const header = (await indexesOf(target)).subarray(0, HEADER)
    let read = 0
    let closed = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        yield header
        yield* branches(0)
      } finally {
        closed = true
      }
    }
    // Sixteen below each, five times: a million.
    function* branches(depth: number): Generator<Uint8Array> {
      read += 640
      yield new Uint8Array(640).map((_, i) => (i % 40 === 38 && depth < 5 ? 1 : 0))
      for (let digit = 0; digit < 16 && depth < 5; digit++) yield* branches(depth + 1)
    }
    const { findings, whole } = await importIndexes(target.soup, endless())
    expect([findings.length, whole, closed]).toEqual([1_000, false, true])
    expect(read).toBeLessThan(1_100 * 640)
  })

  test('keys that would be the same in all digits are malformed', async () => {
    const target = await filled('a', 300)
    const header = (await indexesOf(target)).subarray(0, HEADER)
    async function* deep(): AsyncGenerator<Uint8Array> {
      yield header
      // The first of sixteen has all the keys, the others none.
      for (;;) yield new Uint8Array(640).with(38, 1)
    }
    const { findings, whole } = await importIndexes(target.soup, deep())
    expect(findings.at(-1)?.code).toBe('TRANSFER_INDEX_INVALID')
    expect(whole).toBe(false)
  })

  test('passes on an abort and what the data come with', async () => {
    const target = await filled('a', 10)
    const reason = new Error('enough')
    const aborted = importIndexes(target.soup, chunksOf(new Uint8Array(1), 1), { signal: AbortSignal.abort(reason) })
    await expect(aborted).rejects.toBe(reason)
    const broken = new Error('the connection is gone')
    const failing = (async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3)
      throw broken
    })()
    await expect(importIndexes(target.soup, failing)).rejects.toBe(broken)
  })
})
