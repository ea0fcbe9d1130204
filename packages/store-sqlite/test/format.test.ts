import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { APPLICATION_ID, FORMAT_VERSION, PAGE_SIZE, TABLES } from '../src/schema.ts'

const page = readFileSync(new URL('../../../formats/soup-sqlite.md', import.meta.url), 'utf8')

test('the tables are those of the format', () => {
  expect(page.match(/```sql\n(.*?)```/s)?.[1]).toBe(TABLES.trimStart())
  expect(page).toContain(`\`0x${APPLICATION_ID.toString(16)}\``)
  expect(page).toContain(`version ${FORMAT_VERSION}\n`)
  expect(page).toContain(`${PAGE_SIZE.toLocaleString('en')} bytes`)
})
