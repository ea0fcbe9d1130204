import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callPoints, spread } from '../torture/call-points.ts'
import { runProgram } from '../torture/run-program.ts'

/** What makes bytes durable, or visible under a name. */
const CALLS = ['fsync', 'fdatasync', 'rename', 'link', 'pwrite64'] as const
const POINTS = Number(process.env.VAULT_KILL_POINTS ?? 8)
const ROTATE = ['keys', 'rotate', 'A', '--role', 'all']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-rotation-'))
  await ctl(folder, 'init', 'A', '--no-passphrase')
})
afterAll(() => rm(folder, { recursive: true }))

async function ctl(cwd: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runProgram(cwd, 'vaultctl', args)
  expect(code, `${args.join(' ')}: ${stderr}`).toBe(0)
  return JSON.parse(stdout) as Record<string, unknown>
}

async function fresh(name: string): Promise<string> {
  const dir = join(folder, name)
  await cp(join(folder, 'A'), join(dir, 'A'), { recursive: true })
  return dir
}

async function rotations(dir: string): Promise<number> {
  return ((await ctl(dir, 'keys', 'history', 'A')).events as readonly unknown[]).length - 1
}

test('a rotation that is killed at any write or flush has happened or not, and the next one goes on', {
  timeout: 60_000 + POINTS * 60_000,
}, async () => {
  const whole = await fresh('whole')
  const trace = join(whole, 'trace')
  await runProgram(whole, 'vaultctl', ROTATE, ['-o', trace, '-e', `trace=${CALLS.join()}`])
  const all = callPoints(await readFile(trace, 'utf8'))
  expect(all.length).toBeGreaterThan(10)
  const found = new Set<number>()
  let killed = 0
  for (const { call, nth } of spread(all, POINTS)) {
    const dir = await fresh(`${call}-${nth}`)
    const inject = ['-o', '/dev/null', '-e', `inject=${call}:signal=SIGKILL:when=${nth}`]
    if ((await runProgram(dir, 'vaultctl', ROTATE, inject)).code === 'SIGKILL') killed++
    const done = await rotations(dir)
    found.add(done)
    await ctl(dir, ...ROTATE)
    expect(await rotations(dir), `${call} ${nth}`).toBe(done + 1)
    expect(await ctl(dir, 'verify', 'A'), `${call} ${nth}`).toMatchObject({ ok: true })
    expect(await ctl(dir, 'log', 'A', '--verify'), `${call} ${nth}`).toMatchObject({ ok: true, entries: done + 2 })
    await rm(dir, { recursive: true })
  }
  console.log(`${POINTS} of ${all.length} points, ${killed} killed, left ${[...found].sort().join(' and ')} rotations`)
  expect(killed).toBeGreaterThan(0.7 * Math.min(POINTS, all.length))
  expect([...found].sort()).toEqual([0, 1])
})
