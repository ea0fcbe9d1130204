import type { Codec, ContentId, HashName } from '@vault/core'
import { codecOf, compareIds, contentId, copyBytes, hashOf, utf8 } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertRejects, assertSame, assertThat } from '@vault/core/testing'
import type { CasErrorCode, ContentStore } from './cas.ts'
import { MAX_BLOCK_LENGTH } from './cas.ts'
import { assertAborts, assertHolds, gather } from './contract-assert.ts'

const CODECS: readonly Codec[] = ['raw', 'dag-cbor']
const HASHES: readonly HashName[] = ['blake3', 'sha2-256']
const TOO_LARGE: CasErrorCode = 'CAS_TOO_LARGE'

/** The promises of `Cas`: one object at a time. */
export const objectCases: readonly ContractCase<ContentStore>[] = [
  {
    name: 'put names bytes by their content, and get gives them back',
    async run(store) {
      const bytes = utf8('put and get')
      const id = await store.put(bytes)
      assertSame(id, contentId(bytes), 'the id of a put')
      await assertHolds(store, id, bytes)
    },
  },
  {
    name: 'put names with the codec and the hash asked for',
    async run(store) {
      const bytes = utf8('codecs and hashes')
      for (const codec of CODECS) {
        for (const hash of HASHES) {
          const id = await store.put(bytes, { codec, hash })
          assertSame([codecOf(id), hashOf(id)], [codec, hash], 'codec and hash')
          assertSame(id, contentId(bytes, { codec, hash }), 'the id of a put')
          await assertHolds(store, id, bytes)
        }
      }
    },
  },
  {
    name: 'what was never put is absent',
    async run(store) {
      const id = contentId(utf8('never put'))
      assertSame(await store.get(id), undefined, 'get of an absent object')
      assertSame(await store.has(id), false, 'has of an absent object')
    },
  },
  {
    name: 'an object may be empty',
    async run(store) {
      await assertHolds(store, await store.put(new Uint8Array(0)), new Uint8Array(0))
    },
  },
  {
    name: 'an object may have 1 MiB, and not one byte more',
    async run(store) {
      const bytes = new Uint8Array(MAX_BLOCK_LENGTH + 1).fill(7)
      const largest = bytes.subarray(1)
      await assertHolds(store, await store.put(largest), largest)
      await assertRejects(store.put(bytes), TOO_LARGE, 'a put of 1 MiB and a byte')
      assertSame(await store.has(contentId(bytes)), false, 'has of what was refused')
    },
  },
  {
    name: 'equal bytes may be put again',
    async run(store) {
      const bytes = utf8('put twice')
      const id = await store.put(bytes)
      assertSame(await store.put(copyBytes(bytes)), id, 'the id of the second put')
      await assertHolds(store, id, bytes)
    },
  },
  {
    name: 'puts may run at once',
    async run(store) {
      const contents = Array.from({ length: 50 }, (_, i) => utf8(`at once ${i % 40}`))
      const ids = await Promise.all(contents.map((bytes) => store.put(bytes)))
      assertSame(
        ids,
        contents.map((bytes) => contentId(bytes)),
        'the ids of puts at once',
      )
      for (const [i, id] of ids.entries()) await assertHolds(store, id, contents[i] as Uint8Array)
    },
  },
  {
    name: 'bytes that the caller changes after a put, or after a get, do no harm',
    async run(store) {
      const bytes = utf8('changed by the caller')
      const original = copyBytes(bytes)
      const id = await store.put(bytes)
      bytes.fill(0)
      await assertHolds(store, id, original)
      const read = await store.get(id)
      assertThat(read !== undefined, 'the object is there')
      read.fill(0)
      await assertHolds(store, id, original)
    },
  },
  {
    name: 'a put of a view stores the view alone',
    async run(store) {
      const view = utf8('a view of some bytes').subarray(2, 6)
      const id = await store.put(view)
      assertSame(id, contentId(utf8('view')), 'the id of a view')
      await assertHolds(store, id, utf8('view'))
    },
  },
  {
    name: 'hasMany answers for each id in order',
    async run(store) {
      const present = await store.put(utf8('hasMany, present'))
      const absent = contentId(utf8('hasMany, absent'))
      assertSame(await store.hasMany([absent, present, absent, present]), [false, true, false, true], 'hasMany')
      assertSame(await store.hasMany([]), [], 'hasMany of nothing')
    },
  },
  {
    name: 'list gives every id once, ascending by its bytes',
    async run(store) {
      const put = await putNumbered(store, 'list')
      const listed = await gather(store.list())
      assertAscending(listed)
      const all = new Set(listed)
      for (const id of put) assertThat(all.has(id), `${id} is listed`)
    },
  },
  {
    name: 'list goes on strictly after an id, held or not',
    async run(store) {
      await putNumbered(store, 'list')
      const all = await gather(store.list())
      for (const after of [all[0], all[all.length >> 1], all.at(-1), contentId(utf8('list, never put'))]) {
        if (after === undefined) throw new Error('list is empty though objects were put')
        const expected = all.filter((id) => compareIds(id, after) > 0)
        assertSame(await gather(store.list({ after })), expected, `list after ${after}`)
      }
    },
  },
  {
    name: 'leaving a list midway leaves the store usable',
    async run(store) {
      const [id] = await putNumbered(store, 'list')
      for await (const page of store.list()) {
        assertThat(page.length > 0, 'a page has ids')
        break
      }
      assertSame(await store.has(id as ContentId), true, 'has after a list was left')
    },
  },
  {
    name: 'a signal that was aborted before stops every call with its reason, and nothing is put',
    async run(store) {
      const bytes = utf8('aborted before')
      const id = contentId(bytes)
      await assertAborts((signal) => store.put(bytes, { signal }), 'put')
      await assertAborts((signal) => store.get(id, { signal }), 'get')
      await assertAborts((signal) => store.has(id, { signal }), 'has')
      await assertAborts((signal) => store.hasMany([id], { signal }), 'hasMany')
      await assertAborts((signal) => gather(store.list({ signal })), 'list')
      assertSame(await store.has(id), false, 'has after an aborted put')
    },
  },
]

async function putNumbered(store: ContentStore, name: string): Promise<readonly ContentId[]> {
  return await Promise.all(Array.from({ length: 32 }, (_, i) => store.put(utf8(`${name} ${i}`))))
}

function assertAscending(ids: readonly ContentId[]): void {
  for (const [i, id] of ids.entries()) {
    const previous = ids[i - 1]
    assertThat(previous === undefined || compareIds(previous, id) < 0, `${id} is listed after a smaller id`)
  }
}
