import type { Block } from '@vault/cas'
import { type ContentId, concatBytes, encode, idBytes, link } from '@vault/core'

/** A varint, by another way than the one under test. */
export function varint(value: number): Uint8Array {
  return value < 128 ? Uint8Array.of(value) : Uint8Array.of((value % 128) | 128, ...varint(Math.floor(value / 128)))
}

export function section(...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts)
  return concatBytes(varint(content.length), content)
}

export function header(...roots: readonly ContentId[]): Uint8Array {
  return section(encode({ roots: roots.map(link), version: 1 }))
}

export function blockSection({ id, bytes }: Block): Uint8Array {
  return section(idBytes(id), bytes)
}

/** The bytes in chunks of this length. */
export async function* inChunks(bytes: Uint8Array, length = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** A CAR of these blocks in this order. */
export function carOf(roots: readonly ContentId[], blocks: readonly Block[]): Uint8Array {
  return concatBytes(header(...roots), ...blocks.map(blockSection))
}
