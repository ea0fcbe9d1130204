import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openOrCreatePlace } from '@vault/embedded'
import { startWriter } from '../../packages/cli/test/start-writer.ts'
import { cuttingProxy } from '../../packages/server/test/cutting-proxy.ts'
import { type Campaign, tryEach } from './campaign.ts'
import { said } from './command-workloads.ts'
import { type LastingServer, lastingServer } from './lasting-server.ts'
import { copyMoveGround, expectMoved, layMoveGround, type MoveGround } from './move-ground.ts'
import { type Running, runProgram, startProgram } from './run-program.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

const AT_ONCE = 2
/** The steps of a move, at which, or some time behind which, somebody is killed. */
const STEPS = [
  ...[
    'accept',
    'endorse',
    'announce',
    'snapshot',
    'copy',
    'copy',
    'copy',
    'verify',
    'catch-up',
    'quiesce',
    'copy-rest',
  ],
  ...['account', 'freeze', 'move-trail', 'prepare', 'sign', 'activate', 'route', 'conclude'],
]
/** Of so many points one is about a vault of several windows. */
const LARGE_EVERY = 10
/** What a move takes under charge at a time, and what is on its way beside it. */
const MOST_AGAIN = (64 + 3 * 8 + 1) * 2 ** 20
/** Runs of one move, after which it will not end. */
const MOST_RUNS = 12

const KINDS = ['plain', 'live', 'between', 'fetched'] as const
type Kind = (typeof KINDS)[number]

interface Point {
  readonly i: number
  readonly kind: Kind
  readonly ground: MoveGround
}

/** Both ends of a move, and whoever asks for it, are killed somewhere; they begin anew, and the move goes on to its end. */
export const wireKills: Campaign = {
  name: 'wire-kills',
  small: 4,
  full: 300,
  run: async ({ seed, points, folder }) => {
    const small = await layMoveGround(join(folder, 'small'), { seed, files: 40, longest: 60_000 })
    const isLarge = (i: number) => i % LARGE_EVERY === LARGE_EVERY - 1
    const large =
      points < LARGE_EVERY
        ? small
        : await layMoveGround(join(folder, 'large'), { seed, files: 160, longest: 1_000_000 })
    const tried = Array.from({ length: points }, (_, i): Point => {
      const kind = KINDS[i % KINDS.length] as Kind
      return isLarge(i) ? { i, kind: 'plain', ground: large } : { i, kind, ground: small }
    })
    const counts = { kills: 0, missed: 0, acknowledged: 0, again: 0, longest: 0 }
    const wrong = await tryEach(
      tried,
      AT_ONCE,
      async (point) => {
        const began = performance.now()
        const dir = join(folder, `point-${point.i}`)
        await copyMoveGround(point.ground, dir)
        const { kills, sent, acknowledged } = await killOnTheWay(dir, point, seededNumbers(seed + point.i))
        await expectMoved(dir, point.ground, acknowledged)
        counts.kills += kills
        if (kills === 0) counts.missed++
        counts.acknowledged += acknowledged.size
        counts.longest = Math.max(counts.longest, (performance.now() - began) / 1000)
        const again = sent - point.ground.bytes
        counts.again = Math.max(counts.again, again)
        await rm(dir, { recursive: true })
        return again <= MOST_AGAIN * kills + 2 ** 20 ? [] : [`${again} bytes were sent again for ${kills} kills`]
      },
      ({ i, kind }) => `point ${i}, ${kind}`,
    )
    const { kills, missed, acknowledged, again, longest } = counts
    const note = `${kills} kills, ${missed} points without one, ${acknowledged} writes acknowledged meanwhile, at most ${(again / 2 ** 20).toFixed(1)} MiB sent again, longest ${longest.toFixed(1)} s`
    return { points, wrong, note }
  },
}

/** A move, and who may be killed beside the one that asks for it. */
interface Ends {
  readonly command: readonly string[]
  readonly servers: readonly LastingServer[]
  /** Bytes that went to the target, where they are counted. */
  sent(): number
}

interface Killed {
  readonly kills: number
  readonly sent: number
  readonly acknowledged: ReadonlyMap<string, string>
}

async function killOnTheWay(dir: string, { kind, ground }: Point, numbers: SeededNumbers): Promise<Killed> {
  await using stack = new AsyncDisposableStack()
  const { command, servers, sent } = await ENDS[kind](dir, ground, stack)
  using writer = kind === 'live' ? startWriter(join(dir, 'A'), 'w') : undefined
  await writer?.writes()
  const live = writer === undefined ? [] : ['--live', '--max-pause', '60000']
  const most = 1 + numbers.below(3)
  let kills = 0
  for (let runs = 0; ; runs++) {
    if (runs === MOST_RUNS) throw new Error('the move does not end')
    const { child, ended } = startProgram(dir, 'vault-migrate', [...command, ...live])
    const victims = [() => void child.kill('SIGKILL'), ...servers.map(({ kill }) => kill)]
    const victim = victims[numbers.below(victims.length)]
    const striking = kills < most && victim !== undefined ? strikeOnce({ child, ended }, victim, numbers) : undefined
    const outcome = await ended
    if (await striking) kills++
    const { code } = outcome
    // Where it was stopped at its very end there is nothing left to move.
    if (code === 0 || (code === 1 && outcome.stderr.includes('MIGRATION_SOURCE_REFUSED'))) break
    if (code !== 'SIGKILL' && code !== 4) throw new Error(`the move ${said(outcome)}`)
  }
  const written = await writer?.ended
  if (written !== undefined && written.end !== 'VAULT_MOVED') throw new Error(`the writer ended with ${written.end}`)
  for (const { end } of servers) await end()
  return { kills, sent: sent(), acknowledged: written?.acknowledged ?? new Map() }
}

/** Strikes some time behind a step of a move, or behind its first word; gives whether the move was still under way. */
async function strikeOnce(
  { child, ended }: Running,
  strike: () => Promise<void> | void,
  { below }: SeededNumbers,
): Promise<boolean> {
  const step = `${below(4) === 0 ? '' : STEPS[below(STEPS.length)]} `
  const delay = below(below(2) === 0 ? 30 : 600)
  const begun = Promise.withResolvers<'begun'>()
  let seen = ''
  child.stderr?.on('data', (text) => {
    seen += text
    if (seen.includes(step)) begun.resolve('begun')
  })
  if ((await Promise.race([begun.promise, ended])) !== 'begun') return false
  if ((await Promise.race([sleep(delay, 'now'), ended])) !== 'now') return false
  await strike()
  return true
}

async function toServer(dir: string, { key }: MoveGround, on: AsyncDisposableStack): Promise<Ends> {
  const server = on.use(await lastingServer(join(dir, 'B'), ['--allow', key], { folder: dir }))
  const proxy = on.use(await cuttingProxy(server.port, {}))
  const ends = ['--from', 'A', '--to', `https://127.0.0.1:${proxy.port}`, '--peer-key', server.key]
  return { command: ['run', ...ends, '--timeout', '20'], servers: [server], sent: proxy.passed }
}

async function betweenServers(dir: string, { key }: MoveGround, on: AsyncDisposableStack): Promise<Ends> {
  const keystore = ['--keystore', join(dir, 'keys')]
  const made = await runProgram(dir, 'vaultctl', ['keys', 'new', 'me', '--no-passphrase', ...keystore])
  if (made.code !== 0) throw new Error(`keys new ${said(made)}`)
  const { key: me } = JSON.parse(made.stdout) as { readonly key: string }
  const b = on.use(await lastingServer(join(dir, 'B'), ['--allow', key], { folder: dir }))
  const moves = ['--allow-moves', me, '--move-to', `${b.url}#${b.key}`]
  const a = on.use(await lastingServer(join(dir, 'A'), moves, { folder: dir }))
  const ends = ['--from', a.url, '--from-key', a.key, '--to', b.url, '--peer-key', b.key]
  return {
    command: ['run', ...ends, '--as', 'me', ...keystore, '--timeout', '20'],
    servers: [a, b],
    sent: () => 0,
  }
}

/** A folder comes for the vault, and is whoever asks for the move. */
async function toFolder(dir: string, _: MoveGround, on: AsyncDisposableStack): Promise<Ends> {
  const made = await openOrCreatePlace(join(dir, 'B'))
  const { key } = made.info
  await made[Symbol.asyncDispose]()
  const a = on.use(await lastingServer(join(dir, 'A'), ['--allow-moves', key, '--move-to', key], { folder: dir }))
  const ends = ['--from', a.url, '--peer-key', a.key, '--to', 'B']
  return { command: ['run', ...ends, '--timeout', '20'], servers: [a], sent: () => 0 }
}

const ENDS = {
  plain: toServer,
  live: toServer,
  between: betweenServers,
  fetched: toFolder,
} as const satisfies Readonly<
  Record<Kind, (dir: string, ground: MoveGround, on: AsyncDisposableStack) => Promise<Ends>>
>
