import { idBytes, idFromBytes, isLink, link } from '@vault/core'
import { decode, encode, Token, Type } from 'cborg'

/** The same codec out of a library: lenient decoding, canonical encoding. What both do not agree on is a defect in one. */
export function referenceEncode(value: unknown): Uint8Array {
  return encode(value, {
    float64: true,
    typeEncoders: {
      Object: (item) =>
        isLink(item) ? [new Token(Type.tag, 42), new Token(Type.bytes, Uint8Array.of(0, ...idBytes(item.id)))] : null,
    },
  })
}

export function referenceDecode(bytes: Uint8Array): unknown {
  return decode(bytes, {
    strict: true,
    allowIndefinite: false,
    allowUndefined: false,
    allowInfinity: false,
    allowNaN: false,
    rejectDuplicateMapKeys: true,
    tags: {
      42: (content) => {
        const inner = content() as Uint8Array
        if (inner[0] !== 0) throw new Error('no identity prefix')
        return link(idFromBytes(inner.subarray(1)))
      },
    },
  })
}
