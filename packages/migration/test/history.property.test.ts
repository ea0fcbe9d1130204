import { statementOf } from '@vault/transfer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MemoryVault } from '../../transfer/test/memory-vault.ts'
import { activeVault, collect, commit, linkingBlock, pathEntry, rawBlock } from '../../transfer/test/memory-vault.ts'
import { planMigration, runMigration, verifyMigration } from '../src/index.ts'
import { freshPlace, fullParts } from './places.ts'

type Step =
  | { readonly do: 'put' | 'remove' | 'policy'; readonly n: number }
  | { readonly do: 'tree'; readonly n: number; readonly parts: readonly number[] }
  | { readonly do: 'migrate'; readonly events: number }

const n = fc.nat(12)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('put', 'remove', 'policy'), n }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('tree'), n, parts: fc.array(n, { minLength: 1, maxLength: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('migrate'), events: fc.integer({ min: 1, max: 14 }) }) },
)

async function apply(source: MemoryVault, step: Exclude<Step, { do: 'migrate' }>): Promise<void> {
  const block = rawBlock(`${step.n}`)
  if (step.do === 'put') await commit(source, [block], [pathEntry(`${step.n}`, block.id)])
  else if (step.do === 'policy') {
    const entry = { key: `policy-${step.n % 3}`, type: 'policy', fields: { value: step.n }, object: block.id }
    await commit(source, [block], [entry])
  } else if (step.do === 'tree') {
    const parts = step.parts.map((part) => rawBlock(`${part}`))
    const node = linkingBlock(`${step.n}`, [...new Set(parts.map(({ id }) => id))])
    await commit(source, [...parts, node], [pathEntry(`${step.n}`, node.id)])
  } else {
    const entry = await source.soup.entry(`path:${step.n}`)
    const release = entry?.object === undefined ? [] : [entry.object]
    await source.soup.commit({ epoch: 0, entries: { remove: [`path:${step.n}`] }, objects: { release } })
  }
}

test('whatever happened before and wherever runs were left, the next whole run makes the target equal', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const source = await activeVault('v')
      const target = freshPlace()
      const parts = fullParts(source, target)
      for (const step of steps) {
        if (step.do !== 'migrate') {
          await apply(source, step)
          continue
        }
        let left = step.events
        for await (const _ of runMigration(await planMigration(parts), parts)) if (--left === 0) break
      }
      const plan = await planMigration(parts)
      await collect(runMigration(plan, parts))
      expect((await statementOf(target.soup)).roots).toEqual((await statementOf(source.soup)).roots)
      expect(await verifyMigration(plan, parts)).toMatchObject({ ok: true, findings: [] })
      for (const key of ['policy-0', 'policy-1', 'policy-2']) {
        expect(await collect(target.soup.history(key))).toEqual(await collect(source.soup.history(key)))
      }
    }),
    { numRuns: 60 },
  )
})
