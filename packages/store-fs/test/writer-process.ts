// Stores objects made from a seed and prints the id of each one that has been acknowledged.
import { contentId, utf8 } from '@vault/core'
import { openFsCas } from '../src/index.ts'

const [dir, seed, count] = process.argv.slice(2) as [string, string, string]
await using cas = await openFsCas({ dir, mode: 'write' })
for (let i = 0; i < Number(count); i++) {
  const contents = Array.from({ length: 20 }, (_, n) => utf8(`${seed} ${i} ${n} `.repeat(1 + ((i * n) % 50))))
  if (i % 2 === 0) {
    const ids = await Promise.all(contents.map((bytes) => cas.put(bytes)))
    process.stdout.write(`${ids.join('\n')}\n`)
  } else {
    const blocks = contents.map((bytes) => ({ id: contentId(bytes), bytes }))
    for await (const { ids } of cas.putMany([blocks])) process.stdout.write(`${ids.join('\n')}\n`)
  }
}
