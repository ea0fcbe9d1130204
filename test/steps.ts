import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { ROOT } from './workspace.ts'

/** Numbers of tests. A failed step that runs no tests counts as one failure. */
export interface Tally {
  readonly passed: number
  readonly failed: number
}

/** Runs a command, says in one line how it went, and shows its output only where it failed. */
export async function runStep(name: string, command: string, ...args: readonly string[]): Promise<Tally> {
  const { code, output, seconds } = await run(command, args)
  report(code === 0, name, seconds)
  if (code !== 0) console.log(output)
  return { passed: 0, failed: code === 0 ? 0 : 1 }
}

/** Runs the tests of some vitest projects, shows what failed, and counts. A skipped test counts as failed. */
export async function runTests(name: string, ...projects: readonly string[]): Promise<Tally> {
  const folder = await mkdtemp(join(tmpdir(), 'vault-tests-'))
  try {
    const file = join(folder, 'results.json')
    const selected = projects.flatMap((project) => ['--project', project])
    const reporters = ['--reporter=minimal', '--reporter=json', `--outputFile.json=${file}`]
    const { code, output, seconds } = await run('vitest', ['run', ...selected, ...reporters])
    const tally = countTests(file, code)
    report(tally.failed === 0, name, seconds, `${tally.passed} passed`)
    if (tally.failed > 0) console.log(output)
    return tally
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Prints the last line and sets the exit code. */
export function finish(tallies: readonly Tally[]): void {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0)
  const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0)
  process.exitCode = failed === 0 ? 0 : 1
  console.log(`${passed} passed, ${failed} failed`)
}

/** The part of vitest's JSON report that is read here. */
interface Results {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

function countTests(file: string, code: number): Tally {
  let results: Results
  try {
    results = JSON.parse(readFileSync(file, 'utf8')) as Results
  } catch {
    return { passed: 0, failed: 1 }
  }
  let failed = 0
  for (const { name, status, assertionResults } of results.testResults) {
    const bad = assertionResults.filter((assertion) => assertion.status !== 'passed')
    for (const { status, fullName } of bad) if (status !== 'failed') console.log(`${status}: ${name}: ${fullName}`)
    // A file that could not be loaded has no tests, and is a failure all the same.
    failed += bad.length === 0 && status === 'failed' ? 1 : bad.length
  }
  return { passed: results.numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed }
}

function report(ok: boolean, name: string, seconds: number, note = ''): void {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(12)}${seconds.toFixed(1).padStart(6)} s  ${note}`.trimEnd())
}

interface Outcome {
  readonly code: number
  readonly output: string
  readonly seconds: number
}

function run(command: string, args: readonly string[]): Promise<Outcome> {
  const began = performance.now()
  const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  const env = { ...process.env, PATH: path, CI: 'true', NO_COLOR: '1', TURBO_TELEMETRY_DISABLED: '1' }
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      const seconds = (performance.now() - began) / 1000
      resolve({ code: code ?? 1, output: Buffer.concat(output).toString(), seconds })
    })
  })
}
