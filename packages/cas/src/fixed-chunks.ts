/**
 * Cuts content into chunks of `size` bytes; the last one may be shorter, and empty content has none. A chunk that lies
 * within one piece is a view of it; one that spans several is a copy.
 */
export async function* fixedChunks(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let buffer = new Uint8Array(0)
  let length = 0
  for await (const piece of pieces) {
    for (let offset = 0; offset < piece.length; ) {
      const part = piece.subarray(offset, offset + size - length)
      offset += part.length
      if (part.length === size) {
        yield part
        continue
      }
      buffer = withRoom(buffer, length, { needed: length + part.length, limit: size })
      buffer.set(part, length)
      length += part.length
      if (length < size) continue
      yield buffer
      buffer = new Uint8Array(0)
      length = 0
    }
  }
  if (length > 0) yield buffer.subarray(0, length)
}

/** Doubles, so that neither a small file costs a whole chunk nor many small pieces a copy of everything each. */
function withRoom(
  buffer: Uint8Array<ArrayBuffer>,
  length: number,
  { needed, limit }: { readonly needed: number; readonly limit: number },
): Uint8Array<ArrayBuffer> {
  if (needed <= buffer.length) return buffer
  const larger = new Uint8Array(Math.min(limit, Math.max(needed, 2 * buffer.length)))
  larger.set(buffer.subarray(0, length))
  return larger
}
