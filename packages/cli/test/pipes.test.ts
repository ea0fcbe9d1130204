import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { json, scratch } from './harness.ts'

const BIN = join(import.meta.dirname, '../bin')
let space: Awaited<ReturnType<typeof scratch>>

beforeAll(async () => {
  space = await scratch()
  await json('vaultctl', ['init', space.at('vault')])
  // More than a pipe holds, so that the program still writes when its reader is gone.
  await writeFile(space.at('big'), Buffer.alloc(5_000_000, 'big '))
  await json('vaultctl', ['put', space.at('vault'), 'big'], 0, { cwd: space.dir })
})
afterAll(() => space[Symbol.asyncDispose]())

/** What the shell makes of a line in which `$ctl` and `$migrate` are the programs. */
async function shell(
  line: string,
): Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number }> {
  const node = process.execPath
  const programs = `ctl() { ${node} ${BIN}/vaultctl.mjs "$@"; }; migrate() { ${node} ${BIN}/vault-migrate.mjs "$@"; }`
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    ['-c', `${programs}\n${line}\necho " $\{PIPESTATUS[0]}"`],
    { cwd: space.dir },
  )
  return {
    stdout: stdout.slice(0, stdout.lastIndexOf(' ')),
    stderr,
    code: Number(stdout.slice(stdout.lastIndexOf(' '))),
  }
}

test('a reader that has had enough ends a program quietly, and not as if all were well', async () => {
  expect(await shell('ctl get vault big | head -c 10')).toEqual({ stdout: 'big big bi', stderr: '', code: 141 })
  for (const line of ['ctl ls vault', 'ctl find vault --json', 'ctl verify vault', 'ctl --help', 'migrate --version'])
    expect(await shell(`${line} | true`), line).toMatchObject({ stderr: '', code: 141 })
})

const FULL = '/dev/full'
if (!existsSync(FULL)) console.warn(`There is no ${FULL} here: the tests of a stdout that fails are not run.`)

test.skipIf(!existsSync(FULL))('a stdout that fails is said in one sentence', async () => {
  for (const line of [
    'ctl ls vault',
    'ctl ls vault --json',
    'ctl root vault --json',
    'ctl --help',
    'ctl get vault big',
  ]) {
    const { stderr, code } = await shell(`${line} > ${FULL}`)
    expect(code, line).toBe(1)
    expect(stderr.trim().split('\n'), line).toHaveLength(1)
    expect(stderr, line).toContain('ENOSPC')
  }
  // What failed before that keeps its code.
  expect(await shell(`ctl root absent --nonsense --json > ${FULL}`)).toMatchObject({ code: 2 })
})

test('a stderr that nobody reads harms nothing', async () => {
  // It warns on stderr before it writes its result.
  expect(await shell('ctl init unheard 2>&1 > made | true')).toMatchObject({ code: 0 })
  expect(await readFile(space.at('made'), 'utf8')).toContain('Made vault')
})

test('both programs say their version, and every help its exit codes', async () => {
  const { version } = JSON.parse(await readFile(join(BIN, '../package.json'), 'utf8')) as { version: string }
  expect(await shell('ctl --version; migrate -V')).toMatchObject({ stdout: `${version}\n${version}\n` })
  for (const line of ['ctl --help', 'ctl put --help', 'migrate run --help'])
    expect((await shell(line)).stdout, line).toContain('Exit codes: 0 ok')
})
