import { createHash } from 'node:crypto'
import type { Bytes, KeyPage } from '@vault/core'
import { compareBytes } from '@vault/core'

export interface Leaf {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** The definition of the tree, word for word and one bit at a time: slow, and nothing shared with the package. */
export function referenceRoot(leaves: readonly Leaf[], bit = 0): Bytes {
  if (leaves.length === 0) return sha256()
  const [only] = leaves
  if (only !== undefined && leaves.length === 1) return sha256(only.key, only.value)
  const isSet = ({ key }: Leaf) => (((key[bit >> 3] as number) >> (7 - (bit % 8))) & 1) === 1
  const [left, right] = [leaves.filter((leaf) => !isSet(leaf)), leaves.filter(isSet)]
  if (left.length === 0 || right.length === 0) return referenceRoot(leaves, bit + 1)
  return sha256(referenceRoot(left, bit + 1), referenceRoot(right, bit + 1), new Uint8Array([bit]))
}

export function pageOf(leaves: readonly Leaf[]): KeyPage {
  const sorted = [...leaves].sort((a, b) => compareBytes(a.key, b.key))
  const keys = Uint8Array.from(sorted.flatMap(({ key }) => [...key]))
  return { count: sorted.length, keys, values: Uint8Array.from(sorted.flatMap(({ value }) => [...value])) }
}

function sha256(...parts: Uint8Array[]): Bytes {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}
