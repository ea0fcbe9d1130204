import { readFileSync } from 'node:fs'
import { crc32 as zlibCrc32 } from 'node:zlib'
import type { ContentId } from '@vault/core'
import { contentId, idBytes, idFromBytes, isVaultError, toHex, utf8 } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PackEnd, PackRecords, PackSource } from '../src/index.ts'
import {
  appendGroupEnd,
  appendRecord,
  createPackBuffer,
  createPackGroup,
  encodeSegmentHeader,
  encodeTrailer,
  PACK_ROW_LENGTH,
  PackRows,
  rowOffset,
  scanPack,
  segmentSeed,
  sortRows,
  viewOf,
} from '../src/index.ts'
import { crc32, tableCrc32 } from '../src/pack-crc.ts'

const NAME = Uint8Array.from({ length: 16 }, (_, i) => i * 16 + 1)

/** A segment with these groups of contents, and where each of its records begins. */
function segment(groups: readonly (readonly Uint8Array[])[], sealed: boolean, name = NAME) {
  const buffer = createPackBuffer(new Uint8Array(1 << 20))
  const rows = new PackRows()
  buffer.bytes.set(encodeSegmentHeader(name))
  buffer.length = 32
  const ends = [32]
  for (const contents of groups) {
    const group = createPackGroup()
    for (const content of contents) {
      const id = idBytes(contentId(content))
      rows.append(id, buffer.length, content.length, content.length)
      appendRecord(buffer, group, id, content)
    }
    appendGroupEnd(buffer, group, segmentSeed(name), buffer.length)
    ends.push(buffer.length)
  }
  if (sealed) {
    const trailer = encodeTrailer(rows.bytes, segmentSeed(name), buffer.length)
    buffer.bytes.set(trailer, buffer.length)
    buffer.length += trailer.length
  }
  return { bytes: buffer.bytes.slice(0, buffer.length), ends, rows: rows.bytes.slice() }
}

function sourceOf(bytes: Uint8Array): PackSource {
  return {
    file: 'a segment',
    size: bytes.length,
    read: async (into, position) => {
      const part = bytes.subarray(position, position + into.length)
      into.set(part)
      return part.length
    },
  }
}

async function scan(bytes: Uint8Array, name = NAME) {
  const sound: ContentId[] = []
  const damaged: ContentId[] = []
  const damage: { from: number; to: number }[] = []
  let end: PackEnd | undefined
  for await (const step of scanPack(sourceOf(bytes), { name, check: 'hash' })) {
    if (step.type === 'end') end = step
    else {
      sound.push(...idsIn(step, 'sound'))
      damaged.push(...idsIn(step, 'damaged'))
      damage.push(...step.damage)
    }
  }
  return { sound, damaged, damage: [...damage, ...(end?.damage ?? [])], end: end as PackEnd }
}

function idsIn(step: PackRecords, kind: 'sound' | 'damaged'): ContentId[] {
  return Array.from({ length: step[kind].length / PACK_ROW_LENGTH }, (_, i) =>
    idFromBytes(step[kind].subarray(i * PACK_ROW_LENGTH, i * PACK_ROW_LENGTH + 36)),
  )
}

const CONTENTS = ['one', '', 'three three', 'four', 'five five five'].map((text) => utf8(text))
const GROUPS = [CONTENTS.slice(0, 2), CONTENTS.slice(2, 4), CONTENTS.slice(4)]
const IDS = CONTENTS.map((content) => contentId(content))

describe('a segment', () => {
  test('gives back its records, sealed or not', async () => {
    for (const sealed of [false, true]) {
      const found = await scan(segment(GROUPS, sealed).bytes)
      expect(found).toMatchObject({ sound: IDS, damaged: [], damage: [], end: { sealed, unacknowledged: 0 } })
    }
  })

  test('has the bytes of the vectors', async () => {
    const folder = new URL('../../../vectors/pack/v1/', import.meta.url)
    for (const file of ['sealed', 'unsealed', 'empty-object']) {
      const vector = JSON.parse(readFileSync(new URL(`valid/${file}.json`, folder), 'utf8'))
      const groups = vector.groups.map((group: string[]) =>
        group.map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))),
      )
      const name = Uint8Array.from(Buffer.from(vector.name, 'hex'))
      expect(toHex(segment(groups, vector.sealed, name).bytes), file).toBe(vector.segment)
    }
  })

  test('refuses what the vectors say is to be refused', async () => {
    const folder = new URL('../../../vectors/pack/v1/invalid/', import.meta.url)
    for (const file of ['newer-version', 'unknown-flags']) {
      const vector = JSON.parse(readFileSync(new URL(`${file}.json`, folder), 'utf8'))
      const outcome = await scan(
        Uint8Array.from(Buffer.from(vector.segment, 'hex')),
        Uint8Array.from(Buffer.from(vector.name, 'hex')),
      ).catch((error) => error)
      expect(isVaultError(outcome, vector.code), file).toBe(true)
    }
  })

  test('names every flipped bit of a sealed segment, and loses no other object', async () => {
    const { bytes, ends } = segment(GROUPS, true)
    for (let at = 0; at < bytes.length; at++) {
      const broken = bytes.slice()
      broken[at] = (broken[at] as number) ^ (1 << (at % 8))
      const found = await scan(broken)
      // A footer that does not hold is one that was never written; the objects are there without it.
      if (at >= bytes.length - 24) expect(found.end, `byte ${at}`).toMatchObject({ sealed: false, end: ends.at(-1) })
      else expect(found.damaged.length + found.damage.length, `byte ${at}`).toBeGreaterThan(0)
      const inRecords = at >= 32 && at < (ends.at(-1) as number)
      expect(found.sound.length, `byte ${at}`).toBeGreaterThanOrEqual(inRecords ? IDS.length - 1 : IDS.length)
      expect(IDS).toEqual(expect.arrayContaining(found.sound))
    }
  })

  test('names every flipped bit before the last group of an unsealed segment, which is lost alone', async () => {
    const { bytes, ends } = segment(GROUPS, false)
    for (let at = 32; at < bytes.length; at++) {
      const broken = bytes.slice()
      broken[at] = (broken[at] as number) ^ 1
      const found = await scan(broken)
      const last = at >= (ends.at(-2) as number)
      if (last)
        expect(found, `byte ${at}`).toMatchObject({
          sound: IDS.slice(0, 4),
          damage: [],
          damaged: [],
          end: { end: ends.at(-2) },
        })
      else expect(found.damaged.length + found.damage.length, `byte ${at}`).toBeGreaterThan(0)
      if (!last) expect(found.sound.length, `byte ${at}`).toBeGreaterThanOrEqual(IDS.length - 1)
    }
  })

  test('cut anywhere keeps every group that was whole', async () => {
    const { bytes, ends } = segment(GROUPS, true)
    for (let length = 0; length < bytes.length; length++) {
      const found = await scan(bytes.slice(0, length))
      const whole = Math.max(32, ...ends.filter((end) => end <= length))
      expect(found.end.end, `length ${length}`).toBe(Math.min(length, whole))
      expect(found.sound).toEqual(IDS.slice(0, [0, 2, 4, 5][ends.indexOf(whole)]))
      expect(found.damage, `length ${length}`).toEqual([])
      expect(found.end.unacknowledged).toBe(length - found.end.end)
    }
  })

  test('under another name has no groups', async () => {
    const found = await scan(segment(GROUPS, true).bytes, NAME.slice().reverse())
    expect(found).toMatchObject({ sound: [], damaged: [], end: { end: 32, sealed: false } })
  })

  test('whose groups stand in another order does not validate', async () => {
    const { bytes, ends } = segment(GROUPS, false)
    const part = (i: number) => bytes.subarray(ends[i], ends[i + 1])
    const swapped = Buffer.concat([bytes.subarray(0, 32), part(1), part(0), part(2)])
    expect((await scan(swapped)).end.end).not.toBe(ends[2])
  })

  test('in whose damaged stretch a record is forged does not list it', async () => {
    const forged = createPackBuffer(new Uint8Array(200))
    appendRecord(forged, createPackGroup(), idBytes(contentId(utf8('never stored'))), utf8('something else'))
    const host = forged.bytes.slice(0, forged.length)
    const { bytes } = segment([[host], CONTENTS], true)
    const broken = bytes.slice()
    broken[40] = (broken[40] as number) ^ 1
    const found = await scan(broken)
    expect(found.sound).toEqual(IDS)
    expect(found.damaged).toEqual([])
    expect(found.damage).toHaveLength(1)
  })

  test('of any groups scans to what was written', async () => {
    const contents = fc.array(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }), {
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(contents, fc.boolean(), async (groups, sealed) => {
        const found = await scan(segment(groups, sealed).bytes)
        expect(found.sound).toEqual(groups.flat().map((content) => contentId(content)))
        expect([found.damaged, found.damage]).toEqual([[], []])
      }),
      { numRuns: 50 },
    )
  })

  test('of random bytes is refused without any other error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (noise) => {
        const { bytes } = segment([CONTENTS], false)
        const found = await scan(Buffer.concat([bytes, noise]))
        expect(found.sound).toEqual(IDS)
      }),
      { numRuns: 200 },
    )
  })
})

describe('rows', () => {
  test('sort as their ids do', () => {
    const id = fc.tuple(
      fc.constantFrom(0x55, 0x71),
      fc.constantFrom(0x12, 0x1e),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
    )
    const tied = fc.tuple(
      fc.constantFrom(0x55, 0x71),
      fc.constantFrom(0x12, 0x1e),
      fc
        .uint8Array({ minLength: 1, maxLength: 1 })
        .map((last) => Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? (last[0] as number) : 7))),
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(id, tied), { maxLength: 200 }), (parts) => {
        const rows = new PackRows()
        const ids = parts.map(([codec, hash, digest]) => Uint8Array.of(1, codec, hash, 32, ...digest))
        for (const [i, bytes] of ids.entries()) rows.append(bytes, i * 2 ** 33, 5, 7)
        const sorted = sortRows(rows.bytes)
        const hex = Array.from({ length: ids.length }, (_, i) =>
          toHex(sorted.subarray(i * PACK_ROW_LENGTH, i * PACK_ROW_LENGTH + 36)),
        )
        expect(hex).toEqual(ids.map((bytes) => toHex(bytes)).sort())
        const offsets = hex.map((_, i) => rowOffset(viewOf(sorted), i * PACK_ROW_LENGTH) / 2 ** 33)
        expect(offsets.toSorted((a, b) => a - b)).toEqual(ids.map((_, i) => i))
      }),
    )
  })
})

test('the checksum without Node is the one of zlib', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      const whole = zlibCrc32(Buffer.concat([a, b]))
      expect(tableCrc32(b, tableCrc32(a))).toBe(whole)
      expect(crc32(b, crc32(a))).toBe(whole)
    }),
  )
})
