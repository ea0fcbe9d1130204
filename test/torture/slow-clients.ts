import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type KeyId, systemClock, systemRandom } from '@vault/core'
import { openVault } from '@vault/embedded'
import { createPeerCredentials } from '@vault/migration/http'
import { encodeFrame } from '@vault/transfer/frame'
import { anyKey, reach } from '../../packages/server/test/served.ts'
import type { Campaign } from './campaign.ts'
import { layMoveGround, type MoveGround } from './move-ground.ts'
import type { Slowness, SlowTarget } from './slow-client.ts'
import type { Harassment, LetGo } from './slow-process.ts'

/** How many there are of each kind. */
const SLOW: Readonly<Record<Slowness, number>> = {
  'no-hello': 10,
  'no-request': 10,
  'slow-header': 10,
  'slow-body': 8,
  'no-reading': 4,
}
/** Milliseconds: as a server has them, but shorter, so that all of them are met in a run. */
const LIMITS = { headerMs: 2_000, idleMs: 3_000, requestMs: 5_000 }
/** When each has to be gone. Silence is found at its second look, and the rest is looked for every second. */
const GONE: Readonly<Record<Slowness, number>> = {
  'no-hello': LIMITS.headerMs,
  'no-request': LIMITS.headerMs + 1_000,
  'slow-header': LIMITS.headerMs + 1_000,
  'slow-body': LIMITS.requestMs + 1_000,
  'no-reading': 2 * LIMITS.idleMs + 3_000,
}
/** What a machine that does other things adds to that. */
const BUSY_MS = 4_000
/** The 99th percentile beside slow clients is to be below twice of that without; on a busy machine only far more than that tells anything. */
const FACTOR = 5
const FLOOR_MS = 250
const GOOD_AT_ONCE = 4
/** From so few nothing is said. */
const LEAST = 500
const PATIENT = { connect: 10_000, idle: 30_000, patience: 60_000 }

/** Clients that are slow in every way, beside good ones: these do not notice, and the slow ones are let go. */
export const slowClients: Campaign = {
  name: 'slow-clients',
  small: 1_000,
  full: 40_000,
  run: async ({ seed, points, folder }) => {
    const ground = await layMoveGround(folder, { seed, files: 20, longest: 1_000_000 })
    const [good, slowKey] = [anyKey(), anyKey()]
    const script = join(import.meta.dirname, 'serve-process.ts')
    const args = [script, join(ground.dir, 'A'), JSON.stringify(LIMITS), good.key, slowKey.key]
    const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const slow = fork(join(import.meta.dirname, 'slow-process.ts'), { serialization: 'advanced' })
    try {
      const { url, key, said } = await started(server)
      await using target = await reach({ url, key }, good, ground.vault, { timeouts: PATIENT })
      const ask = () => target.look(ground.vault)
      // The first ones find nothing warm.
      await latencies(ask, LEAST)
      const before = await latencies(ask, Math.max(LEAST, points / 2))
      const lives = harass(slow, await slowTarget(url, ground, slowKey))
      const beside = await latencies(ask, points, () => isSeenOff(lives))
      slow.kill('SIGKILL')
      const after = await latencies(ask, Math.max(LEAST, points / 2))
      const [without, withSlow] = [percentile([...before, ...after]), percentile(beside)]
      const wrong = kinds.flatMap((how) => {
        const [least, most] = [lives[how].length, Math.max(...lives[how])]
        if (least === 0) return [`${how}: none was let go`]
        return most > GONE[how] + BUSY_MS ? [`${how}: let go only after ${Math.round(most)} ms`] : []
      })
      const bound = Math.max(FACTOR * without, FLOOR_MS)
      if (withSlow > bound)
        wrong.push(`p99 ${withSlow.toFixed(1)} ms beside slow clients, ${without.toFixed(1)} without`)
      if (said().includes('Failed:')) wrong.push(said().slice(0, 2_000))
      const gone = kinds.map((how) => `${how} ${lives[how].length} by ${(Math.max(...lives[how]) / 1000).toFixed(1)} s`)
      const note = `p99 ${without.toFixed(1)} ms without, ${withSlow.toFixed(1)} ms beside ${sum(SLOW)} slow ones, which were let go: ${gone.join(', ')}`
      return { points: beside.length, wrong, note }
    } finally {
      slow.kill('SIGKILL')
      server.kill('SIGKILL')
    }
  },
}

const kinds = Object.keys(SLOW) as readonly Slowness[]

type Lives = Readonly<Record<Slowness, number[]>>

/** Keeps so many connections of each kind open, from another process; how long each lasted is added to the lists. */
function harass(slow: ChildProcess, target: SlowTarget): Lives {
  const lives = Object.fromEntries(kinds.map((how) => [how, [] as number[]])) as Record<Slowness, number[]>
  slow.on('message', ({ how, lasted }: LetGo) => void lives[how].push(lasted))
  slow.send({ target, counts: SLOW } satisfies Harassment)
  return lives
}

/** Whether every slow client was let go once. */
function isSeenOff(lives: Lives): boolean {
  return kinds.every((how) => lives[how].length >= SLOW[how])
}

/** The milliseconds of so many requests, and of more until `isEnough`. */
async function latencies(
  ask: () => Promise<unknown>,
  count: number,
  isEnough: () => boolean = () => true,
): Promise<readonly number[]> {
  const taken: number[] = []
  const end = performance.now() + 60_000
  const work = async () => {
    while (taken.length < count || !(isEnough() || performance.now() > end)) {
      const began = performance.now()
      await ask()
      taken.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: GOOD_AT_ONCE }, work))
  return taken
}

function percentile(taken: readonly number[]): number {
  return taken.toSorted((a, b) => a - b)[Math.floor(taken.length * 0.99)] ?? 0
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0)
}

/** What a slow client asks for: all of a vault, so that it does not fit into what the system keeps on its way. */
async function slowTarget(
  url: string,
  { dir, vault, bytes }: MoveGround,
  slow: ReturnType<typeof anyKey>,
): Promise<SlowTarget> {
  await using opened = await openVault(join(dir, 'A'), { mode: 'read' })
  const members = await opened.soup.members({ limit: 1_000 })
  const body = await encodeFrame({ ids: members.map(({ id }) => id) })
  const credentials = await createPeerCredentials(slow, { clock: systemClock, random: systemRandom })
  const port = Number(new URL(url).port)
  const path = `/vaults/${vault}/source/get-objects`
  return { port, credentials, path, body, answered: bytes, unread: 2 * LIMITS.idleMs + 2_000 }
}

async function started({ stdout, stderr }: ChildProcess) {
  if (stdout === null || stderr === null) throw new Error('The process has no output')
  let text = ''
  stderr.on('data', (part) => {
    text += part
  })
  const [line] = await once(stdout, 'data')
  const { url, key } = JSON.parse(String(line)) as { readonly url: string; readonly key: KeyId }
  return { url, key, said: () => text }
}
