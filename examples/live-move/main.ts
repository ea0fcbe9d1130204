/**
 * Two places on two ports. A vault moves from one to the other while a process writes it; it waits once, for a moment, and is led on.
 *   node main.ts [FILE.svg]
 */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ContentId } from '@vault/core'
import { openVault } from '@vault/embedded'

const FILES = 2_000
const CHANGES_PER_SECOND = 10
const MAX_PAUSE_MS = 8_000

const PROGRAMS = join(import.meta.dirname, 'node_modules/.bin')

const folder = await mkdtemp(join(tmpdir(), 'live-move-'))
const [old, fresh] = [join(folder, 'old'), join(folder, 'fresh')] as const
const picture = resolve(folder, process.argv[2] === undefined ? 'live-move.svg' : resolve(process.argv[2]))
const running: ChildProcess[] = []
try {
  // A vault of some files, and an empty place beside it: each has a key, by which the other one knows it.
  await mkdir(join(folder, 'files'))
  for (let i = 0; i < FILES; i++) await writeFile(join(folder, 'files', `${i}.txt`), `File ${i}. `.repeat(200))
  await run('vaultctl', 'init', old, '--no-passphrase')
  await run('vaultctl', 'put', old, 'files')
  const { key } = await run<{ key: string }>('vaultctl', 'status', old)
  const there = await serve(fresh, key)
  const here = await serve(old, there.key)
  console.log(`The vault is served at ${here.url}, and will be at ${there.url}.`)

  const writer = startWriter(old, [`${here.url}=${old}`, `${there.url}=${fresh}`])
  await writer.reaches(CHANGES_PER_SECOND)
  const to = ['--to', there.url, '--peer-key', there.key]
  const terms = ['--live', '--max-pause', String(MAX_PAUSE_MS), '--svg', picture]
  const moved = await run<Moved>('vault-migrate', 'run', '--from', old, ...to, ...terms)
  await writer.reaches(writer.changes.length + CHANGES_PER_SECOND)
  await writer.stop()

  const most = Math.max(1, ...moved.live_rounds.map(({ dirty }) => dirty))
  console.log('\n   round    sent    left      ms   pause meant')
  for (const [i, { dirty, left, ms, estimate_ms, goal_ms }] of moved.live_rounds.entries()) {
    const columns = [i + 1, dirty, left, ms, estimate_ms, goal_ms].map((count) => String(count).padStart(8))
    console.log(`${columns.join('')}  ${'#'.repeat(Math.ceil((30 * dirty) / most))}`)
  }
  const slowest = Math.max(...writer.changes.map(({ ms }) => ms))
  console.log(`paused for ${moved.pause_ms} ms; the writer waited for ${Math.round(slowest)} ms at most`)

  // Whatever was acknowledged, at either place, is at the new one.
  await using vault = await openVault(fresh, { mode: 'read' })
  const ids = writer.changes.flatMap((change) => change.ids)
  const found = await vault.objects.hasMany(ids)
  const lost = found.filter((isThere) => !isThere).length
  const ledOn = writer.changes.filter((change) => change.folder === fresh).length
  console.log(`${ids.length} notes were acknowledged, ${lost} are lost; ${ledOn} changes were made at the new place.`)
  if (lost > 0 || ledOn === 0) throw new Error('This should not be.')
  if (process.argv[2] !== undefined) console.log(`The picture is in ${picture}.`)
} finally {
  for (const child of running) child.kill()
  await Promise.all(running.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'close')))
  await rm(folder, { recursive: true })
}

/** What `vault-migrate run --live` says at its end. */
interface Moved {
  readonly pause_ms: number
  readonly live_rounds: readonly {
    readonly dirty: number
    readonly left: number
    readonly ms: number
    readonly estimate_ms: number
    readonly goal_ms: number
  }[]
}

/** A change that was acknowledged to the writer. */
interface Change {
  readonly folder: string
  readonly ids: readonly ContentId[]
  readonly ms: number
}

/** Starts a program. What a move and the writer say to people is shown. */
function start(command: string, args: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
  // How far a vault was is kept here, so that nothing of this stays with whoever tries it.
  const env = {
    ...process.env,
    PATH: `${PROGRAMS}${delimiter}${process.env.PATH}`,
    VAULT_STATE_DIR: join(folder, 'state'),
  }
  const child = spawn(command, args, {
    env,
    cwd: folder,
    stdio: ['pipe', 'pipe', command === 'vaultctl' ? 'ignore' : 'inherit'],
  })
  running.push(child)
  return child
}

/** Runs a command to its end, and gives the one object that it prints. */
async function run<Result>(command: string, ...args: readonly string[]): Promise<Result> {
  const child = start(command, [...args, '--json'])
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${said}`)
  return JSON.parse(said) as Result
}

/** Serves a place, on any port that is free, to the place that has this key and to nobody else. */
async function serve(place: string, allow: string): Promise<{ readonly url: string; readonly key: string }> {
  const server = start('vaultctl', ['serve', place, '--no-passphrase', '--allow', allow, '--json'])
  for await (const line of createInterface(server.stdout)) return JSON.parse(line)
  throw new Error(`${place} is not served.`)
}

/** Starts the writer, and listens to what is acknowledged to it. */
function startWriter(place: string, routes: readonly string[]) {
  const script = join(import.meta.dirname, 'writer.ts')
  const writer = start(process.execPath, [script, place, String(CHANGES_PER_SECOND), ...routes])
  const changes: Change[] = []
  const listening = (async () => {
    for await (const line of createInterface(writer.stdout)) changes.push(JSON.parse(line) as Change)
  })()
  return {
    changes,
    /** Resolves when so many changes have been acknowledged. */
    async reaches(count: number): Promise<void> {
      while (changes.length < count && writer.exitCode === null) await sleep(20)
    },
    async stop(): Promise<void> {
      writer.stdin.end()
      await listening
    },
  }
}
