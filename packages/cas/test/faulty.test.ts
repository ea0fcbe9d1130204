import { createMemoryCas } from '@vault/cas'
import { type CasCall, casContract, faultyCas } from '@vault/cas/testing'
import { contentId, utf8 } from '@vault/core'
import { describe, expect, it } from 'vitest'

const bytes = utf8('an object')
const id = contentId(bytes)
const other = { id: contentId(utf8('another')), bytes: utf8('another') }

describe('a store without faults keeps the contract', () => {
  for (const { name, run } of casContract) it(name, () => run(faultyCas(createMemoryCas(), {})))
})

describe('a faulty store', () => {
  it('acknowledges without storing', async () => {
    const inner = createMemoryCas()
    const store = faultyCas(inner, { loses: (lost) => lost === id })
    expect(await store.put(bytes)).toBe(id)
    const acks = await Array.fromAsync(store.putMany([[{ id, bytes }, other]]))
    expect(acks.map((ack) => ack.ids)).toEqual([[id, other.id]])
    expect(await inner.hasMany([id, other.id])).toEqual([false, true])
  })

  it('lets objects vanish', async () => {
    const store = faultyCas(createMemoryCas(), { vanished: (gone) => gone === id })
    await store.put(bytes)
    await store.put(other.bytes)
    expect(await store.get(id)).toBeUndefined()
    expect(await store.has(id)).toBe(false)
    expect(await store.hasMany([id, other.id])).toEqual([false, true])
    expect((await Array.fromAsync(store.list())).flat()).toEqual([other.id])
    expect(await Array.fromAsync(store.getMany([[id, other.id]]))).toEqual([
      { blocks: [other], absent: [id], damaged: [] },
    ])
  })

  it('says that flipped bytes are damaged', async () => {
    const store = faultyCas(createMemoryCas(), { damaged: (flipped) => flipped === id })
    await store.put(bytes)
    await store.put(other.bytes)
    await expect(store.get(id)).rejects.toMatchObject({ code: 'CAS_CORRUPT', details: { id } })
    expect(await store.has(id)).toBe(true)
    expect(await Array.fromAsync(store.getMany([[id, other.id]]))).toEqual([
      { blocks: [other], absent: [], damaged: [id] },
    ])
  })

  it('fails at call N, before the work or after it', async () => {
    const failure = new Error('the third call')
    const failAtThird = ({ number }: CasCall) => {
      if (number === 3) throw failure
    }
    for (const when of ['before', 'after'] as const) {
      const inner = createMemoryCas()
      const store = faultyCas(inner, { [when]: failAtThird })
      await store.has(id)
      await store.get(id)
      await expect(Array.fromAsync(store.putMany([[{ id, bytes }]]))).rejects.toBe(failure)
      expect(await inner.has(id)).toBe(when === 'after')
      expect(await store.put(bytes)).toBe(id)
    }
  })
})
