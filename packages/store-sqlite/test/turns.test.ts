import { objectKey } from '@vault/core'
import { entryKey } from '@vault/soup'
import { expect, test } from 'vitest'
import { commitTexts, createStore, idOf, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

const ROWS = 10_000

/** How often other work got its turn meanwhile. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = -1
  let done = false
  const count = () => {
    turns += 1
    if (!done) setImmediate(count)
  }
  count()
  await work.finally(() => {
    done = true
  })
  return turns
}

test('a long list is whole and in order, and lets other work run while it is read', async () => {
  using folder = temporaryFolder()
  await using store = await createStore(folder.file('soup.sqlite'))
  const soup = store.soup(VAULT)
  const texts = Array.from({ length: ROWS }, (_, i) => `text ${i}`)
  await commitTexts(soup, texts)
  const ids = texts.map(idOf)
  const names = texts.map((text) => entryKey(`path:${text}`))

  const members = await soup.members({ limit: ROWS + 1 })
  const entries = await soup.entriesAfter({ limit: ROWS + 1 })
  expect(new Set(members.map(({ id }) => id))).toEqual(new Set(ids))
  expect((await soup.members({ limit: 9000 })).map(({ id }) => id)).toEqual(members.slice(0, 9000).map(({ id }) => id))
  const after = members[4999]?.key as Uint8Array
  expect(await soup.members({ after, limit: ROWS })).toEqual(members.slice(5000))
  expect((await soup.membersByKey(ids.map(objectKey))).map(({ id }) => id)).toEqual(ids)
  expect((await soup.entriesByKey(names)).map(({ key }) => key)).toEqual(names)
  expect(entries).toHaveLength(ROWS)
  expect(await soup.charged([...ids, idOf('none')])).toEqual([...ids.map(() => true), false])

  const lists = [
    () => soup.members({ limit: ROWS }),
    () => soup.membersByKey(ids.map(objectKey)),
    () => soup.entriesAfter({ limit: ROWS }),
    () => soup.entriesByKey(names),
    () => soup.charged(ids),
  ]
  for (const list of lists) expect(await turnsDuring(list()), String(list)).toBeGreaterThanOrEqual(2)
})

test('what has changed since a root was computed is looked for with turns for other work', async () => {
  using folder = temporaryFolder()
  await using store = await createStore(folder.file('soup.sqlite'))
  const soup = store.soup(VAULT)
  await soup.view(({ objects }) => objects.keep(new Map([['0', { hash: new Uint8Array(32), count: 0 }]])))
  for (let part = 0; part < 4; part++) {
    await commitTexts(
      soup,
      Array.from({ length: ROWS / 2 }, (_, i) => `text ${part} ${i}`),
    )
  }
  expect(await turnsDuring(soup.view(({ objects }) => objects.children('')))).toBeGreaterThanOrEqual(3)
})
