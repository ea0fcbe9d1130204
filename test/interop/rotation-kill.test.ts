import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectCommand } from './expect-command.ts'
import { killAtPoints } from './kill-at-points.ts'

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

const ctl = (cwd: string, ...args: readonly string[]) => expectCommand(cwd, 'vaultctl', ...args)

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
  const found = new Set<number>()
  const { all, killed } = await killAtPoints({
    command: ROTATE,
    calls: CALLS,
    points: POINTS,
    begin: fresh,
    async left(dir, where) {
      const done = await rotations(dir)
      found.add(done)
      await ctl(dir, ...ROTATE)
      expect(await rotations(dir), where).toBe(done + 1)
      expect(await ctl(dir, 'verify', 'A'), where).toMatchObject({ ok: true })
      expect(await ctl(dir, 'log', 'A', '--verify'), where).toMatchObject({ ok: true, entries: done + 2 })
    },
  })
  expect(all).toBeGreaterThan(10)
  console.log(`${POINTS} of ${all} points, ${killed} killed, left ${[...found].sort().join(' and ')} rotations`)
  expect(killed).toBeGreaterThan(0.7 * Math.min(POINTS, all))
  expect([...found].sort()).toEqual([0, 1])
})
