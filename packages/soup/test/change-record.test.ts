import { utf8 } from '@vault/core'
import { changeRecord, createMemorySoupStore } from '@vault/soup'
import { expect, test } from 'vitest'

const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? 'nothing' : new TextDecoder().decode(bytes))

test('a record is changed by what it is then, however often somebody else is faster', async () => {
  const { records } = createMemorySoupStore()
  let others = 2
  const slow = {
    ...records,
    swap: async (...given: Parameters<typeof records.swap>) => {
      if (others-- > 0) await changeRecord(records, 'key', (before) => utf8(`${text(before)} and another`))
      return await records.swap(...given)
    },
  }
  await changeRecord(slow, 'key', (before) => utf8(`${text(before)}, mine`))
  expect(text((await records.read('key'))?.bytes)).toBe('nothing and another and another, mine')
})

test('what is not to be changed is left, and what the change throws is thrown', async () => {
  const { records } = createMemorySoupStore()
  await changeRecord(records, 'key', () => undefined)
  expect(await records.read('key')).toBeUndefined()
  const refuse = () => {
    throw new Error('refused')
  }
  await expect(changeRecord(records, 'key', refuse)).rejects.toThrow('refused')
})
