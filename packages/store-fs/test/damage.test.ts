import { mkdir, open, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { ContentId } from '@vault/core'
import { contentId, isVaultError, utf8 } from '@vault/core'
import { describe, expect, test } from 'vitest'
import { openFsCas } from '../src/index.ts'
import { filesIn, folder, listed, scrubbed } from './folder.ts'

const CONTENTS = ['one', '', 'three three', 'four'].map((text) => utf8(text))
const IDS = CONTENTS.map((content) => contentId(content))

/** Two groups in one sealed segment; with an index file where `rows` are enough to make one. */
async function store({ indexed = false } = {}) {
  const place = await folder()
  const cas = await openFsCas({ dir: place.dir, mode: 'write' })
  const blocks = CONTENTS.map((bytes, i) => ({ id: IDS[i] as ContentId, bytes }))
  for await (const _ of cas.putMany([blocks.slice(0, 2), blocks.slice(2)]));
  await cas[Symbol.asyncDispose]()
  if (indexed) {
    // A file that only looks damaged makes the next session write an index at once.
    const index = join(place.dir, 'objects', 'index')
    await mkdir(index)
    await writeFile(join(index, `${'0'.repeat(32)}.idx`), 'not an index')
    await (await openFsCas({ dir: place.dir, mode: 'write' }))[Symbol.asyncDispose]()
  }
  return place
}

async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, at)
  byte[0] = (byte[0] as number) ^ (1 << (at % 8))
  await file.write(byte, 0, 1, at)
  await file.close()
}

/** What reading everything gives: every object right, absent or damaged, never wrong. */
async function readAll(dir: string) {
  await using cas = await openFsCas({ dir, mode: 'read' })
  const right: ContentId[] = []
  for (const [i, id] of IDS.entries()) {
    const bytes = await cas.get(id).catch((error: unknown) => {
      if (!isVaultError(error, 'CAS_CORRUPT')) throw error
      return 'damaged' as const
    })
    if (bytes === undefined || bytes === 'damaged') continue
    expect(bytes).toEqual(CONTENTS[i])
    right.push(id)
  }
  const bulk: ContentId[] = []
  for await (const { blocks } of cas.getMany([IDS])) {
    for (const { id, bytes } of blocks) {
      expect(bytes).toEqual(CONTENTS[IDS.indexOf(id)])
      bulk.push(id)
    }
  }
  expect(bulk.sort()).toEqual(right.toSorted())
  return { right, scrub: await scrubbed(cas) }
}

describe('damage', () => {
  test('is not seen in a sound store', async () => {
    await using place = await store({ indexed: true })
    const { right, scrub } = await readAll(place.dir)
    expect(right).toEqual(IDS)
    expect(scrub).toEqual({ checked: 4, damaged: [], findings: [] })
    expect(await filesIn(place.dir)).toHaveLength(2)
  })

  test('of any byte of a segment is named, and costs at most the object it hit', async () => {
    for (const indexed of [false, true]) {
      await using place = await store({ indexed })
      const [path] = (await filesIn(place.dir)).filter((name) => name.endsWith('.pack')) as [string]
      const { length } = await readFile(join(place.dir, path))
      for (let at = 0; at < length; at += indexed ? 5 : 1) {
        await flip(join(place.dir, path), at)
        const { right, scrub } = await readAll(place.dir)
        expect(right.length, `byte ${at}`).toBeGreaterThanOrEqual(IDS.length - 1)
        // A byte of the footer that is zero now looks like one that was never written, unless the index knows of it.
        const isZero = (await readFile(join(place.dir, path)))[at] === 0
        const code = !indexed && at >= length - 24 && isZero ? 'CAS_UNACKNOWLEDGED' : 'CAS_CORRUPT'
        const named = scrub.findings.map((finding) => `${finding.code} ${finding.subject}`)
        expect(named, `byte ${at}`).toContain(`${code} ${path}`)
        for (const id of IDS) if (!right.includes(id)) expect(scrub.damaged, `byte ${at}`).toContain(id)
        await flip(join(place.dir, path), at)
      }
    }
  })

  test('of any byte of an index file is named and costs nothing', async () => {
    await using place = await store({ indexed: true })
    const [path] = (await filesIn(place.dir)).filter((name) => name.endsWith('.idx')) as [string]
    const { length } = await readFile(join(place.dir, path))
    // One page of 8 KiB is mostly unused bytes, all under one checksum: every 211th of them stands for the rest.
    for (let at = 0; at < length; at += at > 400 && at < 8100 ? 211 : 1) {
      await flip(join(place.dir, path), at)
      const { right, scrub } = await readAll(place.dir)
      expect(right, `byte ${at}`).toEqual(IDS)
      expect(
        scrub.findings.map(({ subject }) => subject),
        `byte ${at}`,
      ).toEqual([path])
      await flip(join(place.dir, path), at)
    }
  })

  test('of an index file is repaired by the next writer', async () => {
    await using place = await store({ indexed: true })
    const [path] = (await filesIn(place.dir)).filter((name) => name.endsWith('.idx')) as [string]
    await flip(join(place.dir, path), 30)
    {
      await using cas = await openFsCas({ dir: place.dir, mode: 'write' })
      expect(await listed(cas)).toHaveLength(4)
    }
    expect((await readAll(place.dir)).scrub.findings).toEqual([])
    expect(await filesIn(place.dir)).not.toContain(path)
  })

  test('by cutting a segment anywhere is named where the index knows better, and never gives wrong bytes', async () => {
    await using place = await store({ indexed: true })
    const [path] = (await filesIn(place.dir)).filter((name) => name.endsWith('.pack')) as [string]
    const whole = await readFile(join(place.dir, path))
    for (let length = whole.length - 1; length >= 0; length--) {
      await truncate(join(place.dir, path), length)
      const { right, scrub } = await readAll(place.dir)
      expect(
        scrub.findings.map(({ subject }) => subject),
        `length ${length}`,
      ).toContain(path)
      for (const id of IDS) if (!right.includes(id)) expect(scrub.damaged, `length ${length}`).toContain(id)
    }
  })

  test('by taking a segment away is named with its objects', async () => {
    await using place = await store({ indexed: true })
    const [path] = (await filesIn(place.dir)).filter((name) => name.endsWith('.pack')) as [string]
    await rm(join(place.dir, path))
    const { right, scrub } = await readAll(place.dir)
    expect(right).toEqual([])
    expect(scrub.damaged.toSorted()).toEqual(IDS.toSorted())
    expect(scrub.findings).toMatchObject([{ code: 'CAS_MISSING', subject: path }])
    await using cas = await openFsCas({ dir: place.dir, mode: 'read' })
    expect(await cas.hasMany(IDS)).toEqual([false, false, false, false])
    expect(await listed(cas)).toEqual([])
  })

  test('by renaming a segment is named', async () => {
    await using place = await store()
    const [path] = (await filesIn(place.dir)) as [string]
    const other = `objects/${'5'.repeat(32)}.pack`
    await rename(join(place.dir, path), join(place.dir, other))
    const { right, scrub } = await readAll(place.dir)
    expect(right).toEqual([])
    expect(scrub.findings.map(({ code, subject }) => `${code} ${subject}`)).toContain(`CAS_CORRUPT ${other}`)
  })

  test('of one copy is covered by another', async () => {
    await using place = await store({ indexed: true })
    const [path] = (await filesIn(place.dir)).filter((name) => name.endsWith('.pack')) as [string]
    {
      await using cas = await openFsCas({ dir: place.dir, mode: 'write' })
      for (const content of CONTENTS) await cas.put(content)
    }
    await flip(join(place.dir, path), 32 + 60 + 1)
    expect((await readAll(place.dir)).right).toEqual(IDS)
    await rm(join(place.dir, path))
    expect((await readAll(place.dir)).right).toEqual(IDS)
  })

  test('is told from a newer format', async () => {
    await using place = await store()
    const [path] = (await filesIn(place.dir)) as [string]
    const bytes = await readFile(join(place.dir, path))
    bytes.writeUInt32BE(2, 8)
    bytes.writeUInt32BE(crc32(bytes.subarray(0, 28)), 28)
    await writeFile(join(place.dir, path), bytes)
    const error = await openFsCas({ dir: place.dir, mode: 'read' }).catch((reason: unknown) => reason)
    expect(isVaultError(error, 'CAS_FORMAT')).toBe(true)
  })

  test('by taking a segment away under a reader sends it to the other copy', async () => {
    await using place = await store({ indexed: true })
    const [path] = (await filesIn(place.dir)).filter((name) => name.endsWith('.pack')) as [string]
    await using cas = await openFsCas({ dir: place.dir, mode: 'read' })
    {
      await using writer = await openFsCas({ dir: place.dir, mode: 'write' })
      await writer.put(CONTENTS[0] as Uint8Array)
    }
    await rm(join(place.dir, path))
    expect(await cas.get(IDS[0] as ContentId)).toEqual(CONTENTS[0])
    expect(await cas.get(IDS[2] as ContentId)).toBeUndefined()
  })
})
