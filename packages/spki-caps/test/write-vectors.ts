// Writes the vector files that do not exist yet: `node --conditions=@vault/source packages/spki-caps/test/write-vectors.ts`.
// A file that exists is never written again, because other implementations rely on it.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { approvalCases } from './approval-cases.ts'
import { ceremonyCases } from './ceremony/ceremony-cases.ts'
import { principalCases } from './principal-cases.ts'
import { validationCases } from './validation-cases.ts'
import { vectorCases } from './vector-cases.ts'

for (const [path, cases] of Object.entries({
  ...(await vectorCases()),
  ...(await ceremonyCases()),
  ...(await principalCases()),
  ...(await approvalCases()),
  ...(await validationCases()),
})) {
  const file = new URL(`../../../vectors/${path}`, import.meta.url).pathname
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(cases, null, 2)}\n`, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}
