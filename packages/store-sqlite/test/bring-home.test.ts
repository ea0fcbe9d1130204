import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { commitTexts, createStore, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

test.each([
  [999, false],
  [1_000, true],
])('a view of %i ms brings home what others have written meanwhile: %s', async (lasts, bringsHome) => {
  using folder = temporaryFolder()
  const path = folder.file('soup.sqlite')
  await using writer = await createStore(path)
  await commitTexts(writer.soup(VAULT), ['before'])
  let now = Date.UTC(2026, 0, 1)
  await using reader = await openSqliteSoupStore({ path, mode: 'write', clock: () => new Date(now) })
  const texts = Array.from({ length: 3_000 }, (_, i) => `text ${i}`)
  let home = 0
  await reader.soup(VAULT).view(async () => {
    await commitTexts(writer.soup(VAULT), texts)
    home = statSync(path).size
    now += lasts
  })
  expect(statSync(path).size > home).toBe(bringsHome)
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0)
})
