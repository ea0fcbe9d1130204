// Commits to a store until it has done so a number of times, or is killed. Prints every number it was given, once it is durable.
import { openSqliteSoupStore } from '../src/index.ts'
import { commitTexts, VAULT } from './subject.ts'

const [path, name, times] = process.argv.slice(2) as [string, string, string]
await using store = await openSqliteSoupStore({ path, mode: 'write' })
const soup = store.soup(VAULT)
for (let i = 0; i < Number(times); i++) {
  const text = `${name}-${i}`
  const { sequence } = await commitTexts(soup, [text])
  process.stdout.write(`${sequence} ${text}\n`)
}
