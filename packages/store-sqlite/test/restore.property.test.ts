import { utf8 } from '@vault/core'
import type { Entry, IntakeBatch, SoupStore, VaultSoup } from '@vault/soup'
import { createMemorySoupStore, encodeEntry, versionId } from '@vault/soup'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqliteSoupStore } from '../src/index.ts'
import { idOf, named, object, VAULT } from './subject.ts'
import { temporaryFolder } from './temporary-folder.ts'

const text = fc.constantFrom('a', 'b', 'c', 'd', 'e')

function policy(n: number): Entry {
  return { key: 'policy', type: 'policy', fields: { n }, object: idOf('a') }
}

const member = fc
  .record({ name: text, links: fc.subarray(['a', 'b']), size: fc.nat(2) })
  .map(({ name, links, size }) => ({ ...object(name, ...links), size }))
const entry = fc.record({ name: text, to: text }).map(({ name, to }) => encodeEntry(named(name, to)))

const batch: fc.Arbitrary<Omit<IntakeBatch, 'migration'>> = fc
  .record({
    add: fc.array(member, { maxLength: 3 }),
    remove: fc.array(text.map(idOf), { maxLength: 3 }),
    put: fc.array(entry, { maxLength: 3 }),
    gone: fc.array(
      text.map((name) => `path:${name}`),
      { maxLength: 3 },
    ),
    versions: fc.array(
      fc.nat(3).map((n) => encodeEntry(policy(n))),
      { maxLength: 2 },
    ),
  })
  .map(({ add, remove, put, gone, versions }) => ({
    objects: { add, remove },
    entries: { put, remove: gone },
    versions,
  }))

/** A vault that was here, retired, and is received again. */
async function returning({ tenures, soup }: SoupStore): Promise<VaultSoup> {
  await tenures.transition(VAULT, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
  const vault = soup(VAULT)
  await vault.commit({
    epoch: 0,
    objects: { add: [object('a'), object('b'), object('c', 'a')] },
    entries: { put: [named('a', 'a'), named('b', 'c'), policy(0)] },
  })
  await vault.commit({ epoch: 0, entries: { put: [policy(1)] } })
  await tenures.transition(VAULT, await vault.tenure(), { state: 'quiesced', epoch: 0, migration: 'm0' })
  const evidence = utf8('hand-off')
  await tenures.transition(VAULT, await vault.tenure(), { state: 'retired', epoch: 1, evidence })
  await tenures.transition(VAULT, await vault.tenure(), { state: 'receiving', epoch: 1, migration: 'm1' })
  return vault
}

/** Everything but the numbers. */
async function contentOf(soup: VaultSoup): Promise<unknown> {
  return {
    members: await soup.members({ limit: 100 }),
    entries: await soup.entriesAfter({ limit: 100 }),
    versions: await Promise.all([0, 1, 2, 3].map((n) => soup.version(versionId(encodeEntry(policy(n)))))),
    counts: await soup.view(async ({ counts }) => counts),
    findings: (await Array.fromAsync(soup.check())).map(({ code, subject }) => `${code} ${subject}`).sort(),
  }
}

test('whatever is received over a vault, in memory and in SQLite alike, it is put back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(batch, { minLength: 1, maxLength: 4 }),
      fc.array(batch, { maxLength: 2 }),
      fc.integer({ min: 1, max: 4 }),
      async (batches, more, limit) => {
        using folder = temporaryFolder()
        await using memory = createMemorySoupStore()
        await using stored = await openSqliteSoupStore({ path: folder.file('soup.sqlite'), mode: 'create' })
        const [model, soup] = [await returning(memory), await returning(stored)]
        const before = await contentOf(soup)
        expect(before).toEqual(await contentOf(model))
        for (const next of batches) {
          expect(await soup.receive({ migration: 'm1', ...next })).toEqual(
            await model.receive({ migration: 'm1', ...next }),
          )
        }
        const { members, entries, counts } = (await contentOf(soup)) as Record<string, unknown>
        expect({ members, entries, counts }).toEqual(
          await contentOf(model).then((now) => {
            const { members: m, entries: e, counts: c } = now as Record<string, unknown>
            return { members: m, entries: e, counts: c }
          }),
        )
        const steps = await Promise.all([model, soup].map((vault) => vault.restore({ migration: 'm1', limit })))
        expect(steps[0]).toEqual(steps[1])
        for (const vault of [model, soup]) {
          for (const next of more) await vault.receive({ migration: 'm1', ...next })
          while ((await vault.restore({ migration: 'm1', limit })).remaining > 0);
          expect(await contentOf(vault)).toEqual(before)
        }
      },
    ),
    { numRuns: 60 },
  )
})
