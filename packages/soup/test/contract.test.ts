import { createMemorySoupStore } from '@vault/soup'
import { soupContract, soupFeedContract } from '@vault/soup/testing'
import { describe, expect, it } from 'vitest'

describe('the memory store keeps every promise of the soup', () => {
  for (const { name, run } of soupContract) {
    it(name, async () => {
      await using store = createMemorySoupStore()
      await run(store)
    })
  }
})

describe('the memory store keeps the promises of a feed that forgets', () => {
  for (const retention of [1, 5]) {
    for (const { name, run } of soupFeedContract(retention)) {
      it(name, async () => {
        await using store = createMemorySoupStore({ feedRetention: retention })
        await run(store)
      })
    }
  }
})

it('case names are unique', () => {
  expect(new Set(soupContract.map(({ name }) => name)).size).toBe(soupContract.length)
})
