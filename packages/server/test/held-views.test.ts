import { systemRandom } from '@vault/core'
import { expect, test } from 'vitest'
import { HeldViews } from '../src/held-views.ts'
import { anyKey, scratch, vaultIn } from './served.ts'

test('a view is read and let go by who opened it, and as one of its own vault', async () => {
  await using folder = await scratch()
  const { vault } = await vaultIn(folder.at('a'), 1)
  await using _ = vault
  const { vault: other } = await vaultIn(folder.at('b'), 0)
  await using __ = other
  const views = new HeldViews({ viewMs: 10_000, held: 2 }, systemRandom)
  const holder = { owner: anyKey().key, vault: vault.id }
  const { view } = await views.open(vault.soup, holder, {})
  for (const foreign of [
    { ...holder, vault: other.id },
    { ...holder, owner: anyKey().key },
  ]) {
    views.close(view, foreign)
    expect(() => views.use(view, foreign)).toThrow(expect.objectContaining({ code: 'HTTP_SESSION' }))
  }
  expect(views.use(view, holder).counts.objects).toBe(1)
  views.closeAll()
})
