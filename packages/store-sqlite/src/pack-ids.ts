import type { Bytes, ContentId } from '@vault/core'
import { ID_LENGTH, idBytes, idFromBytes } from '@vault/core'

/** Ids as 36 bytes each, one after the other; `null` for none. */
export function packIds(ids: readonly ContentId[]): Bytes | null {
  if (ids.length === 0) return null
  const packed = new Uint8Array(ids.length * ID_LENGTH)
  ids.forEach((id, i) => {
    packed.set(idBytes(id), i * ID_LENGTH)
  })
  return packed
}

/** Throws `CONTENT_ID_INVALID` where the bytes are not those of ids. */
export function unpackIds(packed: Uint8Array | null): readonly ContentId[] {
  if (packed === null) return []
  const ids: ContentId[] = []
  for (let i = 0; i < packed.length; i += ID_LENGTH) ids.push(idFromBytes(packed.subarray(i, i + ID_LENGTH)))
  return ids
}
