import { createHash } from 'node:crypto'
import { idBytes, idFromBytes, KEY_LENGTH, objectKey, toHex } from '@vault/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { anyId } from './arbitraries.ts'

it('keys an object by the SHA-256 of its whole id, codec and hash function too', () => {
  fc.assert(
    fc.property(anyId, (id) => {
      const key = objectKey(id)
      expect(toHex(key)).toBe(createHash('sha256').update(idBytes(id)).digest('hex'))
      expect(key).toHaveLength(KEY_LENGTH)
      const other = idBytes(id).with(1, idBytes(id)[1] === 0x55 ? 0x71 : 0x55)
      expect(objectKey(idFromBytes(other))).not.toEqual(key)
    }),
  )
})
