import type { ContentId } from '@vault/core'
import { compareIds } from '@vault/core'
import type { ContractCase } from '@vault/core/testing'
import { assertThat } from '@vault/core/testing'
import type { HeldBlock } from '../held-block.ts'
import type { SoupStore } from '../soup-store.ts'
import { activeSoup, add, assertEqual, assertRefuses, commit, idOf, object, receivingSoup, VAULT } from './subject.ts'

function block(text: string): HeldBlock {
  const { id, size } = object(text)
  return { id, size }
}

export const heldCases: readonly ContractCase<SoupStore>[] = [
  {
    name: 'held blocks are listed by the bytes of their ids, page by page',
    async run(store) {
      const soup = await activeSoup(store)
      const blocks = Array.from({ length: 25 }, (_, i) => block(`payload ${i}`))
      await commit(soup, { hold: blocks.slice(0, 20) })
      await commit(soup, { hold: blocks.slice(10) })
      const expected = blocks.toSorted((a, b) => compareIds(a.id, b.id))
      assertEqual(await soup.held({ limit: 100 }), expected, 'all')
      const pages: HeldBlock[] = []
      for (let after: ContentId | undefined; ; ) {
        const page = await soup.held({ limit: 7, ...(after === undefined ? {} : { after }) })
        pages.push(...page)
        after = page.at(-1)?.id
        if (after === undefined) break
      }
      assertEqual(pages, expected, 'all pages')
      assertEqual(
        await soup.held({ after: idOf('no payload'), limit: 100 }).then((page) => page.length > 0),
        true,
        'after an id that is not held',
      )
      assertEqual(await soup.holds([idOf('payload 3'), idOf('absent')]), [true, false], 'whether they are held')
      for (const limit of [0, -1, 0.5]) {
        const outcome: unknown = await soup.held({ limit }).catch((error: unknown) => error)
        assertThat(outcome instanceof RangeError, `the limit ${limit}`)
      }
    },
  },
  {
    name: 'holding and being under charge are two things',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, { hold: [block('one')] })
      assertEqual(await soup.charged([idOf('one')]), [false], 'under charge')
      const counts = () => soup.view(async (view) => view.counts)
      assertEqual(await counts(), { objects: 0, bytes: 0, entries: 0 }, 'the counts')
      await add(soup, object('one'))
      await commit(soup, { objects: { release: [idOf('one')] } })
      assertEqual(await soup.holds([idOf('one')]), [true], 'held after it left charge')
      await assertRefuses(
        soup,
        () => commit(soup, { refs: { main: idOf('one') } }),
        'SOUP_NOT_PRESENT',
        'a ref to what is only held',
      )
    },
  },
  {
    name: 'what is held already stays as it is',
    async run(store) {
      const soup = await activeSoup(store)
      await commit(soup, { hold: [block('one'), block('one')] })
      await commit(soup, { hold: [{ ...block('one'), size: 99 }] })
      assertEqual(await soup.held({ limit: 9 }), [block('one')], 'what is held')
    },
  },
  {
    name: 'what is no block is not held',
    async run(store) {
      const soup = await activeSoup(store)
      const bad: readonly HeldBlock[] = [
        { id: 'bad' as ContentId, size: 1 },
        { ...block('one'), size: -1 },
        { ...block('one'), size: 0.5 },
        { ...block('one'), size: 2 ** 53 },
      ]
      for (const one of bad) {
        const hold = [block('good'), one]
        await assertRefuses(soup, () => commit(soup, { hold }), 'SOUP_INVALID', JSON.stringify(one))
      }
    },
  },
  {
    name: 'a migration holds blocks, and they go with the vault',
    async run(store) {
      const soup = await receivingSoup(store)
      await soup.receive({ migration: 'm1', hold: [block('payload')] })
      assertEqual(await soup.held({ limit: 9 }), [block('payload')], 'what is held')
      assertEqual((await soup.tenure()).sequence, 0, 'the sequence')
      await store.tenures.transition(VAULT, { state: 'receiving', epoch: 0 }, { state: 'none', epoch: 0 })
      assertEqual(await soup.held({ limit: 9 }), [], 'what is held when it is gone')
      const again = await activeSoup(store)
      assertEqual(await again.held({ limit: 9 }), [], 'what is held when it is here again')
    },
  },
]
