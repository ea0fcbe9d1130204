import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CallPoint, callPoints, spread } from '../torture/call-points.ts'
import { type Ended, runProgram } from '../torture/run-program.ts'
import { expectCommand } from './expect-command.ts'

/** What makes bytes durable, or visible under a name: where a crash can leave one without the other. */
const CALLS = ['fsync', 'fdatasync', 'rename', 'link', 'unlink', 'pwrite64', 'ftruncate'] as const

/** How many points are tried, spread evenly over the whole run. A run of ten files has some 600; each takes some seconds. */
const POINTS = Number(process.env.VAULT_KILL_POINTS ?? 8)

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-kill-'))
  await mkdir(join(folder, 'tree'))
  for (let i = 0; i < 10; i++) await writeFile(join(folder, 'tree', `f${i}`), `content ${i}`)
  await mkdir(join(folder, 'fresh'))
  await expectCommand(join(folder, 'fresh'), 'vaultctl', 'init', 'A', '--no-passphrase')
  await expectCommand(join(folder, 'fresh'), 'vaultctl', 'put', 'A', join(folder, 'tree'))
})
afterAll(() => rm(folder, { recursive: true }))

const MOVE = ['--from', 'A', '--to', 'B', '--no-to-passphrase']

function traced(cwd: string, options: readonly string[]): Promise<Ended> {
  return runProgram(cwd, 'vault-migrate', ['run', ...MOVE], options)
}

/** A vault that has not moved yet, in a folder of its own. */
async function fresh(name: string): Promise<string> {
  const dir = join(folder, name)
  await cp(join(folder, 'fresh'), dir, { recursive: true })
  return dir
}

/** All points of a whole run, in the order of time. */
async function pointsOfRun(): Promise<readonly CallPoint[]> {
  const dir = await fresh('whole')
  const trace = join(dir, 'trace')
  const { code, stderr } = await traced(dir, ['-o', trace, '-e', `trace=${CALLS.join()}`])
  expect(code, stderr).toBe(0)
  return callPoints(await readFile(trace, 'utf8'))
}

/** The states of both places, as `vaultctl status` says them; a place that there is not yet has none. */
async function statesIn(dir: string): Promise<readonly string[]> {
  const states: string[] = []
  for (const place of ['A', 'B']) {
    const { code, stdout } = await runProgram(dir, 'vaultctl', ['status', place])
    const { state, error } = JSON.parse(stdout) as { state?: string; error?: { code: string } }
    if (code !== 0) expect(error?.code, `${place}: ${stdout}`).toMatch(/^VAULT_NOT_FOUND$/)
    states.push(state ?? 'none')
  }
  return states
}

/** Goes on after a kill, with the same command or back, and gives how it ended. */
async function settle(dir: string, verb: 'run' | 'rollback'): Promise<string> {
  if (verb === 'rollback') {
    const { code, stdout } = await runProgram(dir, 'vault-migrate', ['rollback', ...MOVE])
    if (code === 0) return 'rolled back'
    const { error } = JSON.parse(stdout) as { error: { code: string } }
    expect(code, stdout).toBe(1)
    expect(['MIGRATION_UNKNOWN', 'MIGRATION_TARGET_ADVANCED', 'MIGRATION_COMPLETE'], stdout).toContain(error.code)
  }
  const { code, stdout, stderr } = await runProgram(dir, 'vault-migrate', ['run', ...MOVE])
  if (code === 0) return 'complete'
  // It was killed at its very end; or there was no way back any more, and asking for it went the way forward.
  expect(code, stderr).toBe(1)
  expect(stdout).toContain('MIGRATION_SOURCE_REFUSED')
  return 'complete before'
}

/** Kills a run at a point, and settles it. Gives whether it was killed, and how it ended; throws where anything is wrong then. */
async function tryPoint({ call, nth }: CallPoint, verb: 'run' | 'rollback'): Promise<readonly [boolean, string]> {
  const dir = await fresh(`${call}-${nth}`)
  const { code, stderr } = await traced(dir, ['-o', '/dev/null', '-e', `inject=${call}:signal=SIGKILL:when=${nth}`])
  expect([0, 'SIGKILL'], stderr).toContain(code)
  const states = await statesIn(dir)
  expect(states.filter((state) => state === 'active').length, states.join()).toBeLessThanOrEqual(1)

  const ending = await settle(dir, verb)
  const isBack = ending === 'rolled back'
  expect(await statesIn(dir), ending).toEqual(isBack ? ['active', 'none'] : ['retired', 'active'])
  for (const place of isBack ? ['A'] : ['A', 'B']) {
    expect(await expectCommand(dir, 'vaultctl', 'verify', place)).toMatchObject({ ok: true })
  }
  const { entries } = (await expectCommand(dir, 'vaultctl', 'log', isBack ? 'A' : 'B')) as {
    entries: { key: string }[]
  }
  expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length)
  await rm(dir, { recursive: true })
  return [code === 'SIGKILL', ending]
}

test('a hand-off that is killed at any write or flush goes on, or back, and one place at most is active', {
  timeout: 60_000 + POINTS * 60_000,
}, async () => {
  const all = await pointsOfRun()
  expect(all.length).toBeGreaterThan(100)
  const tried = spread(all, POINTS)
  const endings: Record<string, number> = {}
  const wrong: string[] = []
  let killed = 0
  for (const [i, point] of tried.entries()) {
    try {
      const [wasKilled, ending] = await tryPoint(point, i % 3 === 2 ? 'rollback' : 'run')
      if (wasKilled) killed++
      endings[ending] = (endings[ending] ?? 0) + 1
    } catch (error) {
      wrong.push(`killed at ${point.call} ${point.nth}: ${error instanceof Error ? error.message : error}`)
    }
  }
  console.log(`${tried.length} of ${all.length} points, ${killed} runs killed: ${JSON.stringify(endings)}`)
  expect(wrong).toEqual([])
  // Counts may differ a little between two runs, as timers do.
  expect(killed).toBeGreaterThan(0.8 * tried.length)
})
