/** Two vaults in memory: what one holds is copied to the other, and equal roots prove it. */
import { createMemoryCas } from '@vault/cas'
import { contentId } from '@vault/core'
import { createMemorySoupStore } from '@vault/soup'
import { copyDifference, statementOf } from '@vault/transfer'

const vault = contentId(new TextEncoder().encode('any id will do for a vault in memory'))
const [here, there] = [0, 1].map(() => ({ objects: createMemoryCas(), store: createMemorySoupStore() }))
if (!here || !there) throw new Error('unreachable')

// An object and a name for it, here.
const soup = here.store.soup(vault)
await here.store.tenures.transition(vault, { state: 'none', epoch: 0 }, { state: 'active', epoch: 0 })
const text = new TextEncoder().encode('Hello, vault!')
const id = await here.objects.put(text)
await soup.commit({
  epoch: 0,
  objects: { add: [{ id, size: text.length, links: [] }] },
  entries: {
    put: [{ key: 'path:hello.txt', type: 'path', object: id, fields: { size: text.length, mode: 0o100644 } }],
  },
})

// The same, there.
const migration = 'hello'
await there.store.tenures.transition(vault, { state: 'none', epoch: 0 }, { state: 'receiving', epoch: 0, migration })
const source = { objects: here.objects, soup }
const received = there.store.soup(vault)
const target = { objects: there.objects, soup: received, intake: received }
for await (const step of copyDifference(source, target, { migration })) console.log('copied', step.type)

const [a, b] = [await statementOf(source.soup), await statementOf(target.soup)]
if (a.roots.objects !== b.roots.objects || a.roots.soup !== b.roots.soup) throw new Error('The roots differ.')
console.log(new TextDecoder().decode(await there.objects.get(id)), b.roots)
