import type { ContractCase } from '@vault/core/testing'
import { assertRejects, assertThat } from '@vault/core/testing'
import type { FeedItem } from '../soup.ts'
import type { SoupStore, VaultSoup } from '../soup-store.ts'
import { activeSoup, add, all, assertEqual, commit, idOf, named, object, put } from './subject.ts'

async function feedOf(soup: VaultSoup, after = 0): Promise<readonly string[]> {
  return (await all(soup.changes(after))).map(({ sequence, type, subject }) => `${sequence} ${type} ${subject}`)
}

export const feedCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'the feed tells every change in order, objects before what names them, and what is gone',
    async run(store) {
      const soup = await activeSoup(store)
      const one = idOf('one')
      await commit(soup, {
        objects: { add: [object('one')] },
        entries: { put: [named('a', 'one')] },
        refs: { main: one },
      })
      await put(soup, named('a', 'one', { mode: 1 }))
      await commit(soup, { entries: { remove: ['path:a'] }, refs: { main: null }, objects: { release: [one] } })
      const items = await feedOf(soup)
      const change = (n: number) => items.filter((item) => item.startsWith(`${n} `))
      assertEqual(items, [...change(1), ...change(2), ...change(3)], 'changes come in order')
      assertEqual(change(1)[0], `1 object-added ${one}`, 'the first item')
      assertEqual(change(1).slice(1).sort(), ['1 entry-put path:a', '1 entry-put ref:main'], 'what names it')
      assertEqual(change(2), ['2 entry-put path:a'], 'a put')
      assertEqual(change(3).slice(0, 2).sort(), ['3 entry-removed path:a', '3 entry-removed ref:main'], 'removals')
      assertEqual(change(3)[2], `3 object-removed ${one}`, 'the last item')
      assertEqual(await feedOf(soup, 2), change(3), 'what comes after 2')
      assertEqual(await feedOf(soup, 3), [], 'what comes after the end')
      assertEqual(await soup.feed(), { oldest: 0, latest: 3 }, 'how far it reaches')
    },
  },
  {
    name: 'removing what keeps its history is a put, and so is coming back',
    async run(store) {
      const soup = await activeSoup(store)
      await put(soup, { key: 'p', type: 'policy', fields: {} })
      await commit(soup, { entries: { remove: ['p'] } })
      assertEqual(await feedOf(soup), ['1 entry-put p', '2 entry-put p'], 'the feed')
    },
  },
  {
    name: 'pages end where a change ends, and following page by page misses nothing',
    async run(store) {
      const soup = await activeSoup(store)
      for (let change = 0; change < 4; change++) {
        await add(soup, ...Array.from({ length: 700 }, (_, i) => object(`object ${change} ${i}`)))
      }
      const seen: FeedItem[] = []
      let cursor = 0
      while (cursor < 4) {
        for await (const page of soup.changes(cursor)) {
          assertThat(page.length > 0, 'no page is empty')
          seen.push(...page)
          break
        }
        const next = seen.at(-1)?.sequence ?? 0
        assertThat(next > cursor, 'every page goes on')
        assertEqual(seen.length, next * 700, 'items of whole changes')
        cursor = next
      }
      assertEqual(new Set(seen.map(({ subject }) => subject)).size, 2800, 'subjects')
    },
  },
  {
    name: 'a cursor that lies ahead has expired, and what is no cursor is refused',
    async run(store) {
      const soup = await activeSoup(store)
      await add(soup, object('one'))
      await assertRejects(all(soup.changes(2)), 'SOUP_FEED_EXPIRED', 'a cursor ahead')
      for (const cursor of [-1, 0.5, Number.NaN]) {
        await assertRejects(all(soup.changes(cursor)), 'SOUP_INVALID', `the cursor ${cursor}`)
      }
    },
  },
]

/** The promises of a feed that keeps at least `retention` items: for stores made to forget early. */
export function soupFeedContract(retention: number): readonly ContractCase<SoupStore>[] {
  return [
    {
      name: `the feed keeps ${retention} items and says when a cursor is older`,
      async run(store) {
        const soup = await activeSoup(store)
        const changes = retention * 2 + 3
        for (let i = 1; i <= changes; i++) await add(soup, object(`object ${i}`))
        const { oldest, latest } = await soup.feed()
        assertEqual(latest, changes, 'the latest change')
        assertThat(oldest > 0, 'old changes are forgotten')
        assertThat(latest - oldest >= retention, 'no change within the retention is forgotten')
        assertEqual((await all(soup.changes(oldest))).length, latest - oldest, 'items from the oldest cursor')
        await assertRejects(all(soup.changes(oldest - 1)), 'SOUP_FEED_EXPIRED', 'an older cursor')
      },
    },
    {
      name: 'a change longer than the retention is told whole',
      async run(store) {
        const soup = await activeSoup(store)
        await add(soup, object('first'))
        await add(soup, ...Array.from({ length: retention * 3 }, (_, i) => object(`object ${i}`)))
        assertEqual((await all(soup.changes(1))).length, retention * 3, 'items')
      },
    },
  ]
}
