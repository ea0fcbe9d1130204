import { existsSync, readFileSync } from 'node:fs'
import { toHex } from '@vault/core'
import { describe, expect, test } from 'vitest'
import {
  decodeSetProof,
  encodeSetProof,
  proveAbsence,
  provePresence,
  rootOfPage,
  setRoot,
  verifyAbsence,
  verifyPresence,
} from '../src/index.ts'
import { hex, PackedStore } from './packed-store.ts'
import { pageOf } from './reference.ts'

interface HexRow {
  readonly key: string
  readonly value: string
}
interface RootVector {
  readonly label: string
  readonly rows: readonly HexRow[]
  readonly count: number
  readonly root: string
}
interface ProofVector {
  readonly set?: string
  readonly label?: string
  readonly root: string
  readonly key: string
  readonly value: string | null
  readonly proof: string
}

const rowsOf = (rows: readonly HexRow[]) => rows.map(({ key, value }) => ({ key: hex(key), value: hex(value) }))

async function checkRoot({ rows, root, count }: Omit<RootVector, 'label'>): Promise<void> {
  expect(toHex(rootOfPage(pageOf(rowsOf(rows))))).toBe(root)
  const result = await setRoot(new PackedStore(rowsOf(rows)).view())
  expect([toHex(result.hash), result.count]).toEqual([root, count])
}

function verify({ root, key, value, proof }: ProofVector): void {
  const statement = { root: hex(root), key: hex(key), proof: decodeSetProof(hex(proof)) }
  if (value === null) verifyAbsence(statement)
  else verifyPresence({ ...statement, value: hex(value) })
}

async function checkProof(vector: ProofVector, rows: readonly HexRow[]): Promise<void> {
  const [table, key] = [new PackedStore(rowsOf(rows)).view(), hex(vector.key)]
  const proof = (await provePresence(table, key)) ?? (await proveAbsence(table, key))
  expect(proof && toHex(encodeSetProof(proof))).toBe(vector.proof)
  verify(vector)
}

describe('vectors/set-tree/v1', () => {
  const load = (file: string): unknown =>
    JSON.parse(readFileSync(new URL(`../../../vectors/set-tree/v1/${file}`, import.meta.url), 'utf8'))
  const roots = load('valid/roots.json') as RootVector[]

  test.each(roots)('root: $label', (vector) => checkRoot(vector))

  test.each(load('valid/proofs.json') as ProofVector[])('proof: $set, $key', async (vector) => {
    await checkProof(vector, roots.find(({ label }) => label === vector.set)?.rows ?? [])
  })

  test.each(load('invalid/proofs.json') as ProofVector[])('refused: $label', (vector) => {
    expect(() => verify(vector)).toThrow(expect.objectContaining({ code: 'MERKLE_PROOF_INVALID' }))
  })
})

const published = new URL('../../../../shared/vectors/mpt/', import.meta.url)
if (!existsSync(published)) console.warn('vectors not found, 60 tests not run (known answers of the WAICT tree)')
else
  describe('known answers of the WAICT Merkle Patricia tree', () => {
    interface KnownAnswer {
      readonly label: string
      readonly root: string
      readonly leaves: readonly HexRow[]
      readonly target_index: number
      readonly proof: string
    }
    const fromBase64 = (text: string) => Buffer.from(text, 'base64').toString('hex')
    const load = (file: string) =>
      readFileSync(new URL(file, published), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as KnownAnswer)
        .map((answer) => ({
          ...answer,
          root: fromBase64(answer.root),
          rows: answer.leaves.map(({ key, value }) => ({ key: fromBase64(key), value: fromBase64(value) })),
        }))
    const [roots, proofs] = [load('mpt_root_kats.jsonl'), load('mpt_inclusion_kats.jsonl')]

    test('are 24 roots and 36 proofs', () => {
      expect([roots.length, proofs.length]).toEqual([24, 36])
    })

    test.each(roots)('root: $label', ({ rows, root }) => checkRoot({ rows, root, count: rows.length }))

    test.each(proofs)('presence: $label', async ({ rows, root, target_index, proof }) => {
      const target = rows[target_index] as HexRow
      await checkProof({ root, ...target, proof: fromBase64(proof) }, rows)
    })
  })
