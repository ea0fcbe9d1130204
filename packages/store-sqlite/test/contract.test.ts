import { soupContract, soupFeedContract } from '@vault/soup/testing'
import { describe, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { temporaryFolder } from './temporary-folder.ts'

describe('soup contract', () => {
  for (const { name, run } of soupContract) {
    test(name, async () => {
      using folder = temporaryFolder()
      await using store = await openSqliteSoupStore({ path: folder.file('soup.sqlite'), mode: 'create' })
      await run(store)
    })
  }
})

describe('soup contract of a feed that forgets', () => {
  for (const feedRetention of [1, 5]) {
    for (const { name, run } of soupFeedContract(feedRetention)) {
      test(name, async () => {
        using folder = temporaryFolder()
        await using store = await openSqliteSoupStore({
          path: folder.file('soup.sqlite'),
          mode: 'create',
          feedRetention,
        })
        await run(store)
      })
    }
  }
})
