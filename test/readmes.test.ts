import { execFile, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { publishedPackages, ROOT } from './workspace.ts'

/** A program in a README: the text of one ```ts block. */
interface Program {
  readonly name: string
  readonly file: string
}

// The programs lie inside the workspace, so that `@vault/…` resolves to the built packages; they run in an empty folder.
const programs = mkdtempSync(join(import.meta.dirname, '.readmes-'))
const elsewhere = mkdtempSync(join(tmpdir(), 'vault-readmes-'))
afterAll(() => {
  for (const folder of [programs, elsewhere]) rmSync(folder, { recursive: true, force: true })
})

const all = globSync(['README.md', 'packages/*/README.md', 'examples/*/README.md'], { cwd: ROOT })
  .sort()
  .flatMap(extract)

function extract(readme: string): readonly Program[] {
  const text = readFileSync(join(ROOT, readme), 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code], index) => {
    const file = join(programs, `${readme.replaceAll(/\W/g, '-').toLowerCase()}-${index + 1}.ts`)
    writeFileSync(file, code as string)
    return { name: `${readme}, program ${index + 1}`, file }
  })
}

test('every library shows a program', () => {
  const libraries = publishedPackages().filter(({ manifest }) => manifest.bin === undefined)
  const silent = libraries.filter(({ short }) => !all.some(({ name }) => name.startsWith(`packages/${short}/`)))
  expect(silent.map(({ short }) => short)).toEqual([])
})

test('the programs type-check against what is published', () => {
  const config = {
    extends: '../../tsconfig.base.json',
    compilerOptions: { customConditions: [], isolatedDeclarations: false, declaration: false },
    include: ['*.ts'],
  }
  writeFileSync(join(programs, 'tsconfig.json'), JSON.stringify(config))
  const { stdout } = spawnSync('tsc', ['-p', programs], { cwd: ROOT, encoding: 'utf8' })
  expect(stdout).toBe('')
})

test.for(all)('$name runs and ends', async ({ file }) => {
  const failure = await new Promise<string>((resolve) => {
    execFile(process.execPath, [file], { cwd: elsewhere, timeout: 60_000 }, (error, _, stderr) => {
      resolve(error ? `${error.killed ? 'did not end' : `exit ${error.code}`}\n${stderr}` : '')
    })
  })
  expect(failure).toBe('')
})
