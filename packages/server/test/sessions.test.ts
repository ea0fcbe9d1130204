import { createMemoryCas } from '@vault/cas'
import { type ContentId, contentId, systemRandom, type VaultId } from '@vault/core'
import type { IntakeBatch } from '@vault/soup'
import { expect, test } from 'vitest'
import { Sessions } from '../src/sessions.ts'
import { StoredBlocks } from '../src/stored-blocks.ts'
import { anyKey } from './served.ts'

const vault = contentId(new Uint8Array([1])) as VaultId
const owner = anyKey().key
const batch: IntakeBatch = { migration: 'm' }

function opened(most = 2) {
  const objects = createMemoryCas()
  const taken: IntakeBatch[] = []
  const receive = async (each: IntakeBatch) => ({ sequence: taken.push(each), added: 0, released: 0 })
  const found = { vault, state: 'receiving', epoch: 0, sequence: 0, events: 0 } as const
  const sessions = new Sessions(most, systemRandom)
  const add = () =>
    sessions.add({ owner, vault, receiving: { found, objects, soup: {} as never, intake: { receive } } })
  /** What the vault has under charge. */
  const own = new Set<ContentId>()
  const stored = new StoredBlocks(objects, async (ids) => ids.filter((id) => own.has(id)), 4)
  return { sessions, add, taken, objects, own, stored }
}

test('a batch that is sent again under its name, even at the same time, is taken once', async () => {
  const { sessions, add, taken, stored } = opened()
  const open = sessions.use(add(), { owner, vault })
  const twice = [0, 1].map(() => sessions.take(open, { request: 'a', batch }, stored, {}))
  expect(await Promise.all(twice)).toEqual([
    { sequence: 1, added: 0, released: 0 },
    { sequence: 1, added: 0, released: 0 },
  ])
  await sessions.take(open, { request: 'b', batch }, stored, {})
  expect(taken).toHaveLength(2)
})

test('nobody else uses a session, and the oldest makes room', () => {
  const { sessions, add } = opened(2)
  const [first, second] = [add(), add()]
  expect(() => sessions.use(first, { owner: anyKey().key, vault })).toThrow(
    expect.objectContaining({ code: 'HTTP_SESSION' }),
  )
  expect(() => sessions.use(first, { owner, vault: contentId(new Uint8Array([2])) })).toThrow()
  add()
  expect(() => sessions.use(first, { owner, vault })).toThrow(expect.objectContaining({ code: 'HTTP_SESSION' }))
  expect(sessions.use(second, { owner, vault }).owner).toBe(owner)
})

test('what is said of blocks is held against their bytes', async () => {
  const { stored, objects, own } = opened()
  const bytes = new Uint8Array([1, 2, 3])
  const id = contentId(bytes)
  const adding = (size: number, links: readonly VaultId[] = []) =>
    stored.check({ ...batch, objects: { add: [{ id, size, links }] } }, {})
  const holding = (size: number) => stored.check({ ...batch, hold: [{ id, size }] }, {})
  const toBeSent = { code: 'SOUP_NOT_STORED' }
  const refused = { code: 'HTTP_REQUEST_INVALID' }
  await expect(adding(3)).rejects.toMatchObject(toBeSent)
  await expect(holding(3)).rejects.toMatchObject(toBeSent)
  // That the store has it, for another vault, says nothing, not even how long it is.
  await objects.put(bytes)
  await expect(adding(3)).rejects.toMatchObject(toBeSent)
  await expect(adding(4)).rejects.toMatchObject(toBeSent)
  own.add(id)
  await adding(3)
  await holding(3)
  await expect(adding(4)).rejects.toMatchObject(refused)
  await expect(adding(3, [vault])).rejects.toMatchObject(refused)
})

test('what was stored too long ago has to be stored again', async () => {
  const { stored } = opened()
  const block = (i: number) => {
    const bytes = new Uint8Array(new Uint32Array([i]).buffer)
    return { id: contentId(bytes), bytes }
  }
  const add = ({ id, bytes }: ReturnType<typeof block>) =>
    stored.check({ ...batch, objects: { add: [{ id, size: bytes.length, links: [] }] } }, {})
  stored.add([block(0)])
  await add(block(0))
  stored.add(Array.from({ length: 4 }, (_, i) => block(i + 1)))
  await expect(add(block(0))).rejects.toMatchObject({ code: 'SOUP_NOT_STORED' })
  stored.add([block(0)])
  await add(block(0))
})
