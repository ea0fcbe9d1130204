import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { casContract } from '@vault/cas/testing'
import { describe, test } from 'vitest'
import { openFsCas } from '../src/index.ts'

describe('FsCas keeps the promises of content stores', () => {
  for (const { name, run } of casContract) {
    test(name, async () => {
      const dir = await mkdtemp(join(tmpdir(), 'vault-fs-'))
      try {
        await using cas = await openFsCas({ dir, mode: 'write' })
        await run(cas)
      } finally {
        await rm(dir, { recursive: true })
      }
    })
  }
})
