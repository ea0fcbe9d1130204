import { logContract } from '@vault/audit-chain/testing'
import { describe, test } from 'vitest'
import { nodeFs, openFsLogStore } from '../src/index.ts'
import { simulatedFs } from '../src/testing.ts'
import { folder } from './folder.ts'

describe('a log in a folder', () => {
  for (const { name, run } of logContract) {
    test(name, async () => {
      await using place = await folder()
      await run(await openFsLogStore({ dir: `${place.dir}/log`, mode: 'write', fs: nodeFs }))
    })
    test(`${name} (simulated disk)`, async () => {
      await run(await openFsLogStore({ dir: '/a/log', mode: 'write', fs: simulatedFs() }))
    })
  }
})
