// Writes the vector files that do not exist yet:
// `node --conditions=@vault/source packages/migration/test/certificate/write-vectors.ts`.
// A file that exists is never written again, because other implementations rely on it.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { vectorCases } from './vector-cases.ts'

for (const [path, cases] of Object.entries(await vectorCases())) {
  const file = new URL(`../../../../vectors/${path}`, import.meta.url).pathname
  await mkdir(dirname(file), { recursive: true })
  try {
    await writeFile(file, `${JSON.stringify(cases, null, 2)}\n`, { flag: 'wx' })
    console.log(`wrote ${path}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    console.log(`kept ${path}`)
  }
}
