import type { Bytes } from '@vault/core'
import { concatBytes, isVaultError, toHex } from '@vault/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SetProof } from '../src/index.ts'
import {
  decodeSetProof,
  EMPTY_ROOT,
  encodeSetProof,
  MAX_SET_PROOF_LENGTH,
  proveAbsence,
  provePresence,
  setRoot,
  verifyAbsence,
  verifyPresence,
} from '../src/index.ts'
import { anyKey, anyValue, hashedKeys } from './arbitrary.ts'
import { hex, PackedStore, ZEROS } from './packed-store.ts'

interface Statement {
  readonly root: Uint8Array
  readonly key: Uint8Array
  readonly value?: Uint8Array
}

/** Whether bytes are a proof of the statement; anything thrown but `MERKLE_PROOF_INVALID` is a failure. */
function proves({ root, key, value }: Statement, bytes: Uint8Array): boolean {
  try {
    const proof = decodeSetProof(bytes)
    if (value === undefined) verifyAbsence({ root, key, proof })
    else verifyPresence({ root, key, value, proof })
    return true
  } catch (error) {
    expect(isVaultError(error, 'MERKLE_PROOF_INVALID') ? 'MERKLE_PROOF_INVALID' : error).toBe('MERKLE_PROOF_INVALID')
    return false
  }
}

const storeOf = (rows: readonly (readonly [Uint8Array, Uint8Array])[]) =>
  new PackedStore(rows.map(([key, value]) => ({ key, value })))

async function proofOf(store: PackedStore, key: Uint8Array): Promise<SetProof> {
  const [presence, absence] = [await provePresence(store.view(), key), await proveAbsence(store.view(), key)]
  expect([presence, absence].filter((proof) => proof !== undefined)).toHaveLength(1)
  return (presence ?? absence) as SetProof
}

function flip(bytes: Uint8Array, index: number, mask: number): Bytes {
  const copy = new Uint8Array(bytes)
  copy[index] = (copy[index] as number) ^ mask
  return copy
}

/** The key with one bit turned over. */
const neighbour = (key: Uint8Array, bit: number): Bytes => flip(key, bit >> 3, 0x80 >> (bit & 7))

describe('proofs', () => {
  test('prove the presence of every key and the absence of every other, and never both', async () => {
    const rows = fc.array(fc.tuple(anyKey, anyValue), { maxLength: 80 })
    const bulk = fc.record({ count: fc.constantFrom(0, 70, 500), shared: fc.constantFrom(0, 1, 25) })
    await fc.assert(
      fc.asyncProperty(
        rows,
        bulk,
        fc.array(anyKey, { maxLength: 5 }),
        fc.nat(255),
        fc.boolean(),
        async (some, more, others, bit, kept) => {
          const many = hashedKeys(more.count, 1, new Uint8Array(more.shared)).map((key) => [key, ZEROS] as const)
          const store = storeOf([...many, ...some])
          const { hash: root } = await setRoot(store.view({ forgetful: !kept }))
          const known = new Map([...many, ...some].map(([key, value]) => [toHex(key), value]))
          const asked = [...[...known.keys()].slice(0, 6), ...[...known.keys()].slice(-6)].map(hex)
          for (const key of [...asked, ...asked.map((key) => neighbour(key, bit)), ...others]) {
            const value = known.get(toHex(key))
            const bytes = encodeSetProof(await proofOf(store, key))
            expect(encodeSetProof(decodeSetProof(bytes))).toEqual(bytes)
            expect(proves(value === undefined ? { root, key } : { root, key, value }, bytes)).toBe(true)
            expect(proves(value === undefined ? { root, key, value: ZEROS } : { root, key }, bytes)).toBe(false)
            expect(proves({ root, key, value: value === undefined ? ZEROS : flip(value, 31, 1) }, bytes)).toBe(false)
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  test('fail with any byte changed, cut off or added, and for another key or root', async () => {
    const keys = [...hashedKeys(20, 2), ...hashedKeys(3, 3, new Uint8Array(31))]
    const store = storeOf(keys.map((key, i) => [key, new Uint8Array(32).fill(i)]))
    const { hash: root } = await setRoot(store.view())
    for (const key of [
      keys[0],
      keys[22],
      neighbour(keys[0] as Bytes, 255),
      neighbour(keys[22] as Bytes, 3),
    ] as Bytes[]) {
      const proof = await proofOf(store, key)
      const statement = proof.type === 'presence' ? { root, key, value: proof.value } : { root, key }
      const bytes = encodeSetProof(proof)
      for (let i = 0; i < bytes.length; i++) {
        for (const mask of [0x01, 0x80, 0xff]) expect(proves(statement, flip(bytes, i, mask))).toBe(false)
        expect(proves(statement, bytes.subarray(0, i))).toBe(false)
      }
      for (const extra of [1, 33, 64]) expect(proves(statement, concatBytes(bytes, new Uint8Array(extra)))).toBe(false)
      for (let i = 0; i < 32; i++) {
        expect(proves({ ...statement, root: flip(root, i, 0x10) }, bytes)).toBe(false)
        if (proof.type === 'presence') expect(proves({ ...statement, key: flip(key, i, 0x10) }, bytes)).toBe(false)
      }
    }
  })

  test('of absence exist for the empty table, beside one key, and beside neighbours', async () => {
    const empty = new PackedStore()
    const bytes = encodeSetProof(await proofOf(empty, ZEROS))
    expect(bytes).toHaveLength(9)
    expect(proves({ root: EMPTY_ROOT, key: ZEROS }, bytes)).toBe(true)

    const key = hashedKeys(1, 4)[0] as Bytes
    const one = storeOf([[key, ZEROS]])
    const { hash: root } = await setRoot(one.view())
    expect(proves({ root, key }, bytes)).toBe(false)
    expect(proves({ root: EMPTY_ROOT, key: ZEROS }, encodeSetProof(await proofOf(one, key)))).toBe(false)
    for (let bit = 0; bit < 256; bit++) {
      const other = neighbour(key, bit)
      expect(proves({ root, key: other }, encodeSetProof(await proofOf(one, other)))).toBe(true)
    }
    const both = storeOf([
      [neighbour(key, 254), ZEROS],
      [neighbour(key, 255), ZEROS],
    ])
    const { hash: around } = await setRoot(both.view())
    expect(proves({ root: around, key }, encodeSetProof(await proofOf(both, key)))).toBe(true)
  })

  test('are never longer than the stated length, and a path has at most a step for every bit', async () => {
    const keys = [ZEROS, ...Array.from({ length: 256 }, (_, bit) => neighbour(ZEROS, bit))]
    const store = storeOf(keys.map((key) => [key, ZEROS]))
    const { hash: root } = await setRoot(store.view())
    const proof = encodeSetProof(await proofOf(store, ZEROS))
    expect([proof.length, proves({ root, key: ZEROS, value: ZEROS }, proof)]).toEqual([41 + 256 * 33, true])
    expect(MAX_SET_PROOF_LENGTH).toBe(73 + 256 * 33)
    expect(proves({ root, key: ZEROS, value: ZEROS }, new Uint8Array(MAX_SET_PROOF_LENGTH + 1))).toBe(false)
  })

  test('from anywhere, of any length and shape, only ever give MERKLE_PROOF_INVALID', () => {
    const head = fc
      .constantFrom('', '6d70747072 6f6f66', '6d70747072 6f6f6601', '6d70747072 6f6f6602')
      .map((text) => hex(text.replaceAll(' ', '')))
    fc.assert(
      fc.property(
        head,
        fc.uint8Array({ maxLength: 400 }),
        fc.uint8Array({ maxLength: 40 }),
        fc.boolean(),
        (start, rest, key, presence) => {
          proves({ root: EMPTY_ROOT, key, ...(presence && { value: ZEROS }) }, concatBytes(start, rest))
        },
      ),
    )
    const sibling = ZEROS
    for (const path of [
      [{ bit: 256, sibling }],
      [{ bit: -1, sibling }],
      [{ bit: 1.5, sibling }],
      [
        { bit: 3, sibling },
        { bit: 3, sibling },
      ],
      [{ bit: 3, sibling: sibling.slice(1) }],
    ]) {
      const proof: SetProof = { type: 'presence', value: ZEROS, path }
      for (const use of [
        () => encodeSetProof(proof),
        () => verifyPresence({ root: ZEROS, key: ZEROS, value: ZEROS, proof }),
      ]) {
        expect(use).toThrow(expect.objectContaining({ code: 'MERKLE_PROOF_INVALID' }))
      }
    }
  })

  test("of a key of another length are a caller's mistake when made", async () => {
    await expect(provePresence(new PackedStore().view(), new Uint8Array(31))).rejects.toThrow(RangeError)
  })
})
