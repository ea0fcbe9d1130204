import type { SeededNumbers } from './seeded-numbers.ts'

/** The bytes with one to three changes: a bit, a byte, a piece cut out, repeated or overwritten by another piece. */
export function mutate(bytes: Uint8Array, numbers: SeededNumbers): Uint8Array {
  let changed = Uint8Array.from(bytes)
  for (let left = 1 + numbers.below(3); left > 0; left--) changed = change(changed, numbers)
  return changed
}

function change(bytes: Uint8Array<ArrayBuffer>, numbers: SeededNumbers): Uint8Array<ArrayBuffer> {
  const at = numbers.below(bytes.length + 1)
  const length = 1 + numbers.below(8)
  const from = numbers.below(bytes.length + 1)
  switch (numbers.below(6)) {
    case 0:
      if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << numbers.below(8))
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = numbers.below(256)
      return bytes
    case 2:
      return join(bytes.subarray(0, at), bytes.subarray(at + length))
    case 3:
      return join(bytes.subarray(0, at), bytes.subarray(from, from + length), bytes.subarray(at))
    case 4:
      bytes.copyWithin(at, from, Math.min(from + length, from + bytes.length - at))
      return bytes
    default:
      return bytes.slice(0, at)
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts))
}
