import { linksOf } from '@vault/cas'
import { contentId, encode, link, utf8 } from '@vault/core'
import { describe, expect, it } from 'vitest'

const [a, b] = [contentId(utf8('a')), contentId(utf8('b'))]

function blockOf(value: unknown) {
  const bytes = encode(value)
  return { id: contentId(bytes, { codec: 'dag-cbor' }), bytes }
}

describe('linksOf', () => {
  it('finds links wherever they stand, each once', () => {
    expect(linksOf(blockOf({ b: [link(b), { x: link(a) }], a: 1, cc: link(b) }))).toEqual([b, a])
    expect(linksOf(blockOf(link(a)))).toEqual([a])
    expect(linksOf(blockOf([1, 'text', null, true, new Uint8Array(40), { id: a }]))).toEqual([])
  })

  it('finds none in a raw block, whatever it holds', () => {
    const { bytes } = blockOf([link(a)])
    expect(linksOf({ id: contentId(bytes), bytes })).toEqual([])
  })

  it('refuses a dag-cbor block that is none', () => {
    const bytes = Uint8Array.of(0xff)
    const id = contentId(bytes, { codec: 'dag-cbor' })
    expect(() => linksOf({ id, bytes })).toThrow(expect.objectContaining({ code: 'CAS_MALFORMED', details: { id } }))
  })
})
