import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runProgram } from '../torture/run-program.ts'
import { expectCommand } from './expect-command.ts'
import { killAtPoints } from './kill-at-points.ts'

/** What makes bytes durable, or visible under a name. */
const CALLS = ['fsync', 'fdatasync', 'rename', 'link', 'mkdir', 'pwrite64'] as const
const POINTS = Number(process.env.VAULT_KILL_POINTS ?? 8)
const FOUND = ['init', 'A', '--no-passphrase']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-founding-'))
})
afterAll(() => rm(folder, { recursive: true }))

const ctl = (cwd: string, ...args: readonly string[]) => expectCommand(cwd, 'vaultctl', ...args)

async function fresh(name: string): Promise<string> {
  const dir = join(folder, name)
  await mkdir(dir)
  await writeFile(join(dir, 'file'), name)
  return dir
}

test('a founding that is killed at any write or flush has happened or is done again, and its owner may do everything', {
  timeout: 60_000 + POINTS * 60_000,
}, async () => {
  const found = new Set<string>()
  const { all, killed } = await killAtPoints({
    command: FOUND,
    calls: CALLS,
    points: POINTS,
    begin: fresh,
    async left(dir, where) {
      const again = await runProgram(dir, 'vaultctl', FOUND)
      found.add(again.code === 0 ? 'nothing' : JSON.parse(again.stdout).error.code)
      await ctl(dir, 'put', 'A', 'file')
      await ctl(dir, 'rm', 'A', 'file')
      const { key } = await ctl(dir, 'status', 'A')
      const asked = ['caps', 'explain', 'A', '--for', String(key), '--do', 'migrate']
      expect(await ctl(dir, ...asked), where).toMatchObject({ ok: true })
      expect(await ctl(dir, 'verify', 'A'), where).toMatchObject({ ok: true })
    },
  })
  expect(all).toBeGreaterThan(10)
  console.log(`${POINTS} of ${all} points, ${killed} killed, left ${[...found].sort().join(' and ')}`)
  expect(killed).toBeGreaterThan(0.7 * Math.min(POINTS, all))
  expect(['VAULT_EXISTS', 'nothing']).toEqual(expect.arrayContaining([...found]))
})
