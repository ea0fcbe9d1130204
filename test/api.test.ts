import { globSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apiReports, REPORTS } from './api-reports.ts'
import { ROOT } from './workspace.ts'

// What users can see of a package changes in the open: `pnpm run api` writes the reports, and the difference is reviewed.

const reports = apiReports()

test.for(reports)('$specifier shows what its report says; if that is meant: pnpm run api', async ({ path, text }) => {
  await expect(text).toMatchFileSnapshot(path)
})

test('no report is left of an entry point that is gone', () => {
  const found = globSync(`packages/*/${REPORTS}/*`, { cwd: ROOT })
  expect(found.filter((file) => !reports.some(({ path }) => path === join(ROOT, file)))).toEqual([])
})
