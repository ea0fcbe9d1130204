// Reads a store in a folder that it cannot write to, and tells what it saw.
import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { openSqliteSoupStore } from '../src/index.ts'
import { VAULT } from './subject.ts'

// For root, every folder is writable.
if (process.getuid?.() === 0) {
  process.setgid?.(65_534)
  process.setuid?.(65_534)
}
const path = process.argv[2] as string
await using store = await openSqliteSoupStore({ path, mode: 'read' })
const soup = store.soup(VAULT)
const entries = await soup.entriesAfter({ limit: 10 })
const root = await soup.view(async ({ objects }) => (await objects.scan({ prefix: '', limit: 10 })).count)
console.log(JSON.stringify({ entries: entries.length, writable: isWritable(dirname(path)), root }))

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
