// Reads a store in a folder that it cannot write to, whenever it is told to, and tells how many objects it sees, or the code of the error.
import { once } from 'node:events'
import { isVaultError } from '@vault/core'
import type { SoupView } from '@vault/soup'
import { openSqliteSoupStore } from '../src/index.ts'
import { VAULT } from './subject.ts'

// For root, every folder is writable.
if (process.getuid?.() === 0) {
  process.setgid?.(65_534)
  process.setuid?.(65_534)
}
const store = await openSqliteSoupStore({ path: process.argv[2] as string, mode: 'read', busyTimeout: 50 })
const soup = store.soup(VAULT)
const countIn = async ({ objects }: SoupView) => (await objects.scan({ prefix: '', limit: 50_000 })).count

async function members(): Promise<number> {
  const listed = (await soup.members({ limit: 50_000 })).length
  const viewed = await soup.view(countIn)
  return listed === viewed ? listed : Number.NaN
}

/** Begins a view, and reads when it is told to go on. */
function held(): Promise<number> {
  return soup.view(async (view) => {
    process.send?.('holding')
    await once(process, 'message')
    return countIn(view)
  })
}

process.send?.('open')
for (;;) {
  const [command] = await once(process, 'message')
  if (command === 'end') break
  const answer = command === 'hold' ? held() : command === 'check' ? Array.fromAsync(soup.check()) : members()
  process.send?.(await answer.catch((error: unknown) => (isVaultError(error) ? error.code : String(error))))
}
await store[Symbol.asyncDispose]()
process.disconnect?.()
