import { createMemoryCas } from '@vault/cas'
import { casContract } from '@vault/cas/testing'
import { contentId, utf8 } from '@vault/core'
import { describe, expect, it } from 'vitest'

describe('the memory store keeps the contract', () => {
  for (const { name, run } of casContract) it(name, () => run(createMemoryCas()))
})

describe('the memory store', () => {
  it('erases what it is told to, and no more', async () => {
    const store = createMemoryCas()
    const [kept, erased] = await Promise.all([store.put(utf8('kept')), store.put(utf8('erased'))])
    await store.erase([erased, contentId(utf8('never put'))])
    expect(await store.hasMany([kept, erased])).toEqual([true, false])
  })

  it('scrubs every object', async () => {
    const store = createMemoryCas()
    for (let i = 0; i < 20; i++) await store.put(new Uint8Array(1024 * 1024).fill(i))
    const steps = await Array.fromAsync(store.scrub())
    expect(steps.length).toBeGreaterThan(1)
    expect(steps.reduce((sum, step) => sum + step.checked, 0)).toBe(20)
    expect(steps.reduce((sum, step) => sum + step.bytes, 0)).toBe(20 * 1024 * 1024)
    expect(steps.flatMap((step) => step.damaged)).toEqual([])
  })
})
