import type { Bytes } from '@vault/core'
import { hashBytes } from '@vault/core'

const LEAF_PREFIX = 0
const NODE_PREFIX = 1

/** The hash of a leaf of the log tree, SHA-256(0x00 ‖ data) (RFC 9162, 2.1.1). */
export function leafHash(data: Uint8Array): Bytes {
  const input = new Uint8Array(1 + data.length)
  input[0] = LEAF_PREFIX
  input.set(data, 1)
  return hashBytes('sha2-256', input)
}

/** The hash of an inner node of the log tree, SHA-256(0x01 ‖ left ‖ right). Throws a `RangeError` for lengths but 32. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  checkHashLength(left)
  checkHashLength(right)
  return new LogHasher().node(left, right)
}

/** Throws a `RangeError` where a hash that a caller gave does not have 32 bytes. */
export function checkHashLength(hash: Uint8Array): void {
  if (hash.length !== 32) throw new RangeError(`A hash of the log tree has 32 bytes, not ${hash.length}.`)
}

/** `nodeHash` of hashes that are known to have 32 bytes, in one buffer that is used again for every node. */
export class LogHasher {
  readonly #input = new Uint8Array(65)

  constructor() {
    this.#input[0] = NODE_PREFIX
  }

  node(left: Uint8Array, right: Uint8Array): Bytes {
    const input = this.#input
    for (let i = 0; i < 32; i++) {
      input[1 + i] = left[i] as number
      input[33 + i] = right[i] as number
    }
    return hashBytes('sha2-256', input)
  }
}
