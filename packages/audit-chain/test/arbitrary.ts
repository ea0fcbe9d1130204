import type { Bytes } from '@vault/core'
import fc from 'fast-check'
import type { Checkpoint, Note } from '../src/index.ts'

export const anyBytes = (constraints: fc.IntArrayConstraints): fc.Arbitrary<Bytes> =>
  fc.uint8Array(constraints).map((bytes) => new Uint8Array(bytes))

/** Text of one line that a note can hold, with much that is special in the formats. */
const line = fc
  .array(fc.oneof(fc.constantFrom('— ', ' ', '+', '=', '/', 'é', '\u{1f511}', '\u00a0', '\ufeff'), fc.string()))
  .map((parts) => parts.join(''))

const name = fc.string({ minLength: 1, unit: 'grapheme' }).map((text) => text.replaceAll(/[\p{White_Space}+]/gu, '/'))

export const anyNote: fc.Arbitrary<Note> = fc.record({
  text: fc.array(line, { minLength: 1, maxLength: 6 }).map((lines) => lines.map((each) => `${each}\n`).join('')),
  signatures: fc.array(
    fc.record({
      name,
      keyId: fc.nat(0xffff_ffff),
      signature: anyBytes({ minLength: 1, maxLength: 80 }),
    }),
    { minLength: 1, maxLength: 5 },
  ),
})

export const anyCheckpoint: fc.Arbitrary<Checkpoint> = fc.record({
  origin: line.filter((text) => text !== ''),
  size: fc.maxSafeNat(),
  root: anyBytes({ minLength: 32, maxLength: 32 }),
  extensions: fc.array(
    line.filter((text) => text !== ''),
    { maxLength: 3 },
  ),
})
