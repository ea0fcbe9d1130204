import { utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertRejects } from '@vault/core/testing'
import { MAX_RECORD_KEY_LENGTH, MAX_RECORD_LENGTH } from '../records.ts'
import type { SoupStore } from '../soup-store.ts'
import { activeSoup, assertEqual, VAULT } from './subject.ts'

const KEY = 'migration/m1'

export const recordsCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'a record is swapped only from the version it has',
    async run({ records }) {
      assertEqual(await records.read(KEY), undefined, 'a record that is not there')
      assertEqual(await records.swap(KEY, 0, utf8('a')), 1, 'the first version')
      assertEqual(await records.read(KEY), { version: 1, bytes: utf8('a') }, 'the record')
      for (const expected of [0, 2])
        await assertRejects(records.swap(KEY, expected, utf8('b')), 'SOUP_CONFLICT', `from ${expected}`)
      assertEqual(await records.swap(KEY, 1, utf8('b')), 2, 'the second version')
      await assertRejects(records.swap(KEY, 1, undefined), 'SOUP_CONFLICT', 'a removal of an earlier version')
      assertEqual(await records.read(KEY), { version: 2, bytes: utf8('b') }, 'the record after all')
      const outcomes = await Promise.allSettled(['x', 'y'].map((text) => records.swap(KEY, 2, utf8(text))))
      assertEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], 'two at once')
    },
  },
  {
    name: 'a change of a record that need not be durable is one like any other',
    async run({ records }) {
      const later = { durable: false } as const
      assertEqual(await records.swap(KEY, 0, utf8('a'), later), 1, 'the first version')
      assertEqual(await records.read(KEY), { version: 1, bytes: utf8('a') }, 'the record')
      await assertRejects(records.swap(KEY, 0, utf8('b'), later), 'SOUP_CONFLICT', 'from another version')
      assertEqual(await records.swap(KEY, 1, utf8('b')), 2, 'a durable one behind it')
      assertEqual(await records.swap(KEY, 2, undefined, later), 3, 'a removal')
      assertEqual(await records.read(KEY), undefined, 'what was removed')
    },
  },
  {
    name: 'the versions of a record grow for ever, over removals too',
    async run({ records }) {
      assertEqual(await records.swap(KEY, 0, undefined), 0, 'removing what never was')
      const first = await records.swap(KEY, 0, utf8('a'))
      const removed = await records.swap(KEY, first, undefined)
      assertEqual(removed > first, true, 'the version of a removal')
      assertEqual(await records.read(KEY), undefined, 'what was removed')
      await assertRejects(records.swap(KEY, removed, utf8('b')), 'SOUP_CONFLICT', 'a version of what is not there')
      assertEqual(await records.swap(KEY, 0, undefined), removed, 'removing it again')
      const again = await records.swap(KEY, 0, utf8('b'))
      assertEqual(again > removed, true, 'the version of another one')
      await assertRejects(records.swap(KEY, first, utf8('c')), 'SOUP_CONFLICT', 'the version of the one before')
    },
  },
  {
    name: 'records are listed by what their keys begin with, ascending, those that are there',
    async run({ records }) {
      for (const key of ['b/2', 'a', 'b/1', 'b', 'b_1', 'B/3']) await records.swap(key, 0, utf8(key))
      await records.swap('b/1', 1, undefined)
      assertEqual(await records.list(''), ['B/3', 'a', 'b', 'b/2', 'b_1'], 'all')
      assertEqual(await records.list('b/'), ['b/2'], 'those that begin so')
      assertEqual(await records.list('b_'), ['b_1'], 'a prefix that is no pattern')
      assertEqual(await records.list('%'), [], 'another one')
    },
  },
  {
    name: 'keys are printable ASCII of 1 to 256 characters, values at most 1 MiB',
    async run({ records }) {
      for (const key of ['', 'ä', 'a\n', 'a\u0000', '\u007f', 'k'.repeat(MAX_RECORD_KEY_LENGTH + 1)]) {
        const what = JSON.stringify(key.slice(0, 9))
        await assertRejects(records.read(key), 'SOUP_INVALID', `reading ${what}`)
        await assertRejects(records.swap(key, 0, utf8('a')), 'SOUP_INVALID', `writing ${what}`)
        if (key !== '') await assertRejects(records.list(key), 'SOUP_INVALID', `listing ${what}`)
      }
      const long = new Uint8Array(MAX_RECORD_LENGTH + 1)
      await assertRejects(records.swap(KEY, 0, long), 'SOUP_INVALID', 'a long value')
      for (const version of [-1, 0.5, Number.NaN]) {
        await assertRejects(records.swap(KEY, version, utf8('a')), 'SOUP_INVALID', `the version ${version}`)
      }
      assertEqual(await records.list(''), [], 'the records')
      const key = ` ~${'k'.repeat(MAX_RECORD_KEY_LENGTH - 2)}`
      await records.swap(key, 0, long.subarray(1))
      assertEqual((await records.read(key))?.bytes.length, MAX_RECORD_LENGTH, 'the longest value')
      await records.swap(KEY, 0, new Uint8Array(0))
      assertEqual((await records.read(KEY))?.bytes.length, 0, 'the shortest value')
    },
  },
  {
    name: 'records are copies, and belong to the place',
    async run(store) {
      const { records, tenures } = store
      const value = utf8('a')
      await records.swap(KEY, 0, value)
      value.fill(0)
      ;(await records.read(KEY))?.bytes.fill(0)
      await activeSoup(store)
      await tenures.transition(VAULT, { state: 'active', epoch: 0 }, { state: 'none', epoch: 0 })
      assertEqual(await records.read(KEY), { version: 1, bytes: utf8('a') }, 'the record when a vault is gone')
    },
  },
]
