// What the feed names is created, modified and taken away at the target (M103–M107).
import type { Block } from '@vault/cas'
import { expect, test } from 'vitest'
import { copyChanges, copyDifference, sameRoots, statementOf } from '../src/index.ts'
import {
  activeVault,
  collect,
  commit,
  fill,
  type MemoryVault,
  pathEntry,
  rawBlock,
  receivingVault,
} from './memory-vault.ts'

const into = ({ objects, soup }: MemoryVault) => ({ objects, soup, intake: soup })

test.each([65_536, 1])(
  'creates, modifications and removals of the feed arrive in that order (window %i)',
  async (window) => {
    const [source, target] = [await activeVault('v'), await receivingVault('v')]
    const [, second, third] = (await fill(source, 3)) as [Block, Block, Block]
    await collect(copyDifference(source, into(target), { migration: 'm' }))
    const { latest: after } = await source.soup.feed()
    const created = rawBlock('created')
    await commit(source, [created], [pathEntry('created', created.id), pathEntry('file-1', second.id, { mode: 'x' })])
    const { epoch } = await source.soup.tenure()
    const gone = { objects: { release: [third.id] }, entries: { remove: ['path:file-2'] } }
    await source.soup.commit({ epoch, ...gone })
    const changes = copyChanges(source, into(target), { migration: 'm', after, window })
    const types: string[] = []
    let step = await changes.next()
    for (; step.done !== true; step = await changes.next()) types.push(step.value.type)
    expect(step.value).toEqual({ sequence: (await source.soup.feed()).latest, subjects: 5 })
    expect([...new Set(types)]).toEqual(['objects', 'entries', 'entries-removed', 'objects-removed'])
    expect(await target.soup.charged([created.id, second.id, third.id])).toEqual([true, true, false])
    expect(sameRoots(await statementOf(source.soup), await statementOf(target.soup))).toBe(true)
    // Followed again, it finds nothing.
    expect(await collect(copyChanges(source, into(target), { migration: 'm', after }))).toEqual([])
  },
)
