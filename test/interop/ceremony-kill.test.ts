import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectCommand } from './expect-command.ts'
import { killAtPoints } from './kill-at-points.ts'

/** What makes bytes durable, or visible under a name. */
const CALLS = ['fsync', 'fdatasync', 'rename', 'link', 'unlink', 'pwrite64'] as const
const POINTS = Number(process.env.VAULT_KILL_POINTS ?? 8)
const KEYS = ['--keystore', 'keys']
const JOIN = ['ceremony', 'join', 'C', '--as', 'ben', ...KEYS]
const FOUND = ['ceremony', 'commit', 'C', '--to', 'V']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vault-ceremony-'))
  const start = join(folder, 'start')
  await mkdir(start)
  for (const name of ['ana', 'ben']) await ctl(start, 'keys', 'new', name, '--no-passphrase', ...KEYS)
  const roles = ['--identity', '2:ana,ben', '--operators', '2:ana,ben']
  await ctl(start, 'ceremony', 'plan', 'V', '--found', '--out', 'C', '--as', 'ana', ...roles, ...KEYS)
  await ctl(start, 'ceremony', 'join', 'C', '--vault', 'V')
  await ctl(start, 'ceremony', 'join', 'C', '--as', 'ana', ...KEYS)
})
afterAll(() => rm(folder, { recursive: true }))

const ctl = (cwd: string, ...args: readonly string[]) => expectCommand(cwd, 'vaultctl', ...args)

async function fresh(name: string): Promise<string> {
  const dir = join(folder, name)
  await cp(join(folder, 'start'), dir, { recursive: true })
  return dir
}

test.for([
  { name: 'the part of a member', before: [], command: JOIN, after: [FOUND] },
  { name: 'the founding of a vault', before: [JOIN], command: FOUND, after: [] },
])(
  '$name that is killed at any write or flush is there whole or not at all, and the same command goes on',
  {
    timeout: 60_000 + POINTS * 60_000,
  },
  async ({ before, command, after }) => {
    const begin = async (name: string) => {
      const dir = await fresh(`${command[1]}-${name}`)
      for (const args of before) await ctl(dir, ...args)
      return dir
    }
    const { all, killed } = await killAtPoints({
      command,
      calls: CALLS,
      points: POINTS,
      begin,
      async left(dir, where) {
        // Whatever lies there by then refuses nothing, and is nobody's document but whole ones.
        expect(await ctl(dir, 'ceremony', 'status', 'C'), where).toMatchObject({ ok: true, findings: [] })
        for (const args of [command, ...after]) await ctl(dir, ...args)
        expect(await ctl(dir, 'ceremony', 'verify', 'C'), where).toMatchObject({ ok: true, phase: 'complete' })
        expect(await ctl(dir, 'verify', 'V'), where).toMatchObject({ ok: true })
        expect(await ctl(dir, 'log', 'V', '--verify'), where).toMatchObject({ ok: true, entries: 1 })
        const documents = (await readdir(join(dir, 'C'))).filter((name) => name.endsWith('.cbor'))
        expect(documents, where).toHaveLength(5)
      },
    })
    expect(all).toBeGreaterThan(2)
    console.log(`${Math.min(POINTS, all)} of ${all} points, ${killed} killed`)
    expect(killed).toBeGreaterThan(0.7 * Math.min(POINTS, all))
  },
)
