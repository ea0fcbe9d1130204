import { concatBytes } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Tile } from '../src/index.ts'
import {
  decodeEntryBundle,
  encodeEntryBundle,
  entriesPath,
  MAX_ENTRY_BUNDLE_LENGTH,
  MAX_ENTRY_LENGTH,
  parseTilePath,
  pathOfTile,
  TILE_WIDTH,
  tilePath,
  tilesFor,
} from '../src/index.ts'
import { anyBytes } from './arbitrary.ts'
import { codeOf, fuzzRuns } from './support.ts'

const paths = (from: number, to: number): readonly string[] => [...tilesFor(from, to)].map(pathOfTile)

describe('paths', () => {
  test.each<[string, Tile]>([
    ['tile/0/x001/x234/067', { kind: 'hashes', level: 0, index: 1_234_067, width: 256 }],
    ['tile/0/000', { kind: 'hashes', level: 0, index: 0, width: 256 }],
    ['tile/63/999.p/255', { kind: 'hashes', level: 63, index: 999, width: 255 }],
    ['tile/1/x001/000.p/1', { kind: 'hashes', level: 1, index: 1000, width: 1 }],
    ['tile/entries/x001/x234/067', { kind: 'entries', index: 1_234_067, width: 256 }],
    ['tile/entries/000.p/8', { kind: 'entries', index: 0, width: 8 }],
    [
      'tile/0/x009/x007/x199/x254/x740/991.p/10',
      { kind: 'hashes', level: 0, index: Number.MAX_SAFE_INTEGER, width: 10 },
    ],
  ])('%s', (path, tile) => {
    expect(pathOfTile(tile)).toBe(path)
    expect(parseTilePath(path)).toEqual(tile)
  })

  test.each([
    '',
    'tile/0',
    'tile/0/',
    '/tile/0/000',
    'tile//000',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/0/x000/000',
    'tile/0/x001/x067',
    'tile/0/001/067',
    'tile/0/X001/067',
    'tile/0/x001//067',
    'tile/0/x001/../067',
    'tile/0/../../../etc/passwd',
    'tile/0/000/',
    'tile/0/000.p',
    'tile/0/000.p/',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/+1',
    'tile/0/000.p/1/',
    'tile/0/000.p/1\n',
    'tile/0/000\n',
    'tile/0/x009/x007/x199/x254/x740/992',
    'tile/0/x999/x999/x999/x999/x999/999',
    `tile/0/${'x001/'.repeat(1000)}000`,
    'tile/entries/0',
    'tile/entries/000.p/256',
    'tile/Entries/000',
    'tile/0x1/000',
    'tile/٠/000',
    'checkpoint',
  ])('refuses %j', (path) => {
    expect(codeOf(() => parseTilePath(path))).toBe('AUDIT_TILE_INVALID')
  })

  test('every tile has one path, and every path that is taken is of one tile', () => {
    const width = fc.integer({ min: 1, max: 256 })
    const tile = fc.oneof(
      fc.record({ kind: fc.constant('entries' as const), index: fc.maxSafeNat(), width }),
      fc.record({ kind: fc.constant('hashes' as const), level: fc.nat(63), index: fc.maxSafeNat(), width }),
    )
    fc.assert(
      fc.property(tile, (each) => {
        expect(parseTilePath(pathOfTile(each))).toEqual(each)
      }),
    )
    const pieces = ['tile', '/', '0', 'entries', '000', 'x001', '.p', '1', '255', '256', '..', '\0']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 10 }), (parts) => {
        let written: string | undefined
        const code = codeOf(() => {
          written = pathOfTile(parseTilePath(parts.join('')))
        })
        expect(code ?? written).toBe(code === undefined ? parts.join('') : 'AUDIT_TILE_INVALID')
      }),
      { numRuns: fuzzRuns(3000) },
    )
  })

  test("what no tile has is a caller's mistake when written", () => {
    for (const bad of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => tilePath(bad, 0)).toThrow(RangeError)
      expect(() => tilePath(0, bad)).toThrow(RangeError)
      expect(() => tilePath(0, 0, bad)).toThrow(RangeError)
      expect(() => entriesPath(bad)).toThrow(RangeError)
      expect(() => entriesPath(0, bad)).toThrow(RangeError)
    }
    expect(() => tilePath(64, 0)).toThrow(RangeError)
    for (const width of [0, 257]) expect(() => entriesPath(0, width)).toThrow(RangeError)
  })
})

/** The tiles of a log of this size by the definition: at level l, floor(size / 256^l) hashes in rows of 256. */
function allTiles(size: number): readonly string[] {
  const found: string[] = []
  for (let [level, count] = [0, size]; count > 0; [level, count] = [level + 1, Math.floor(count / 256)]) {
    for (let index = 0; index * 256 < count; index++) {
      const width = Math.min(256, count - index * 256)
      found.push(tilePath(level, index, width))
      if (level === 0) found.push(entriesPath(index, width))
    }
  }
  return found
}

describe('tilesFor', () => {
  test('the example of tlog-tiles: 70,000 entries', () => {
    const count = (pattern: RegExp) => paths(0, 70_000).filter((path) => pattern.test(path)).length
    expect(count(/^tile\/0\/[x\d/]+$/)).toBe(273)
    expect(count(/^tile\/1\/[x\d/]+$/)).toBe(1)
    expect(paths(0, 70_000).filter((path) => path.includes('.p/'))).toEqual([
      'tile/entries/273.p/112',
      'tile/0/273.p/112',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
    ])
    expect(count(/^tile\/entries\/[x\d/]+$/)).toBe(273)
    expect(paths(0, 70_000)).toHaveLength(273 + 1 + 273 + 1 + 1 + 1 + 1)
  })

  test.each<[number, number, readonly string[]]>([
    [0, 0, []],
    [70_000, 70_000, []],
    [0, 1, ['tile/entries/000.p/1', 'tile/0/000.p/1']],
    [1, 3, ['tile/entries/000.p/3', 'tile/0/000.p/3']],
    [255, 256, ['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1']],
    [256, 257, ['tile/entries/001.p/1', 'tile/0/001.p/1']],
    [
      65_535,
      65_537,
      ['tile/entries/255', 'tile/entries/256.p/1', 'tile/0/255', 'tile/0/256.p/1', 'tile/1/000', 'tile/2/000.p/1'],
    ],
    [2 ** 53 - 2, 2 ** 53 - 1, ['tile/entries/x035/x184/x372/x088/831.p/255', 'tile/0/x035/x184/x372/x088/831.p/255']],
  ])('from %d to %d', (from, to, expected) => {
    expect(paths(from, to)).toEqual(expected)
  })

  test('at the greatest sizes every level is there', () => {
    const top = paths(2 ** 52 - 1, 2 ** 52)
    expect(top.map((path) => path.split('/')[1])).toEqual(['entries', '0', '1', '2', '3', '4', '5', '6'])
    expect(top.at(-1)).toBe('tile/6/000.p/16')
  })

  test('writes exactly what the greater log has and the smaller one has not, each once', () => {
    const size = fc.oneof(fc.nat(600), fc.nat(70_000), fc.constantFrom(255, 256, 257, 65_535, 65_536, 65_537))
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)]
        const before = new Set(allTiles(from))
        const expected = allTiles(to).filter((path) => !before.has(path))
        expect([...paths(from, to)].sort()).toEqual(expected.sort())
      }),
      { numRuns: 60 },
    )
  })

  test('gives entries first, then levels upwards', () => {
    const order = [...tilesFor(200, 140_000)].map((tile) => (tile.kind === 'entries' ? -1 : tile.level))
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(new Set(order)).toEqual(new Set([-1, 0, 1, 2]))
  })

  test('gives the first tile of a great log at once', () => {
    expect(tilesFor(0, Number.MAX_SAFE_INTEGER).next().value).toEqual({ kind: 'entries', index: 0, width: 256 })
  })

  test.each([
    [-1, 0],
    [2, 1],
    [0, 0.5],
    [0, 2 ** 53],
    [Number.NaN, 1],
  ])("from %d to %d is a caller's mistake", (from, to) => {
    expect(() => [...tilesFor(from, to)]).toThrow(RangeError)
  })
})

describe('entry bundles', () => {
  const bytes = (...numbers: readonly number[]) => Uint8Array.from(numbers)

  test('lengths are big-endian', () => {
    const entries = [bytes(1, 2, 3), bytes(), new Uint8Array(258).fill(9)]
    const bundle = encodeEntryBundle(entries)
    expect(bundle).toEqual(concatBytes(bytes(0, 3, 1, 2, 3, 0, 0, 1, 2), new Uint8Array(258).fill(9)))
    expect(decodeEntryBundle(bundle)).toEqual(entries)
  })

  test('hold up to 256 entries of up to 65,535 bytes', () => {
    const longest = Array.from({ length: TILE_WIDTH }, () => new Uint8Array(MAX_ENTRY_LENGTH))
    const bundle = encodeEntryBundle(longest)
    expect(bundle).toHaveLength(MAX_ENTRY_BUNDLE_LENGTH)
    expect(decodeEntryBundle(bundle)).toHaveLength(256)
    for (const bad of [[], [...longest, bytes()], [new Uint8Array(MAX_ENTRY_LENGTH + 1)]]) {
      expect(codeOf(() => encodeEntryBundle(bad))).toBe('AUDIT_TILE_INVALID')
    }
  })

  test.each([
    ['nothing', bytes()],
    ['half a length', bytes(0)],
    ['a length alone', bytes(0, 1)],
    ['an entry cut short', bytes(0, 2, 7)],
    ['half a second length', bytes(0, 1, 7, 0)],
    ['257 empty entries', new Uint8Array(2 * 257)],
    ['too many bytes', new Uint8Array(MAX_ENTRY_BUNDLE_LENGTH + 1)],
  ])('refuse %s', (_, input) => {
    expect(codeOf(() => decodeEntryBundle(input))).toBe('AUDIT_TILE_INVALID')
  })

  test('of any bytes give AUDIT_TILE_INVALID or are written back as they were, and share no memory', () => {
    const small = fc.array(fc.constantFrom(0, 1, 2, 3, 255), { maxLength: 40 }).map((numbers) => bytes(...numbers))
    const whole = fc.array(anyBytes({ maxLength: 20 }), { minLength: 1, maxLength: 9 }).map(encodeEntryBundle)
    fc.assert(
      fc.property(fc.oneof(small, whole, anyBytes({})), fc.nat(3), (content, offset) => {
        const padded = concatBytes(new Uint8Array(offset), content, bytes(0, 0))
        const input = padded.subarray(offset, offset + content.length)
        let written: Uint8Array | undefined
        const code = codeOf(() => {
          const entries = decodeEntryBundle(input)
          padded.fill(0xaa)
          written = encodeEntryBundle(entries)
        })
        expect(code ?? written).toEqual(code === undefined ? content : 'AUDIT_TILE_INVALID')
      }),
      { numRuns: fuzzRuns(3000) },
    )
  })
})
