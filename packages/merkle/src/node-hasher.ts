import type { Bytes } from '@vault/core'
import { hashBytes, KEY_LENGTH } from '@vault/core'

/** The root of the set without keys: SHA-256 of nothing. */
export const EMPTY_ROOT: Bytes = hashBytes('sha2-256', new Uint8Array(0))

/**
 * The two hashes of the set tree (formats/set-tree.md, 2). Inputs are put together in two buffers that are used again
 * for every node, and copied byte by byte: for 32 bytes that is faster than making a view for `set`.
 */
export class NodeHasher {
  readonly #leaf = new Uint8Array(64)
  readonly #inner = new Uint8Array(65)

  /** SHA-256(key ‖ value) of one row. */
  leaf({ keys, values }: { keys: Uint8Array; values?: Uint8Array }, row: number): Bytes {
    const input = this.#leaf
    const start = row * KEY_LENGTH
    for (let i = 0; i < KEY_LENGTH; i++) {
      input[i] = keys[start + i] as number
      input[KEY_LENGTH + i] = values === undefined ? 0 : (values[start + i] as number)
    }
    return hashBytes('sha2-256', input)
  }

  /** SHA-256(left ‖ right ‖ bit), where `bit` is the first in which the keys of both sides differ. */
  inner(left: Uint8Array, right: Uint8Array, bit: number): Bytes {
    const input = this.#inner
    for (let i = 0; i < 32; i++) {
      input[i] = left[i] as number
      input[32 + i] = right[i] as number
    }
    input[64] = bit
    return hashBytes('sha2-256', input)
  }
}
