import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { zstdCompressSync } from 'node:zlib'
import { encode, systemClock, systemRandom } from '@vault/core'
import { openVault } from '@vault/embedded'
import { createPeerCredentials, type PeerCredentials } from '@vault/migration/http'
import { readFrames } from '@vault/transfer/frame'
import type { Served } from '../../packages/cli/test/serving.ts'
import { anyKey, reach } from '../../packages/server/test/served.ts'
import { type Campaign, type Setting, tryEach } from './campaign.ts'
import { expectSound } from './command-workloads.ts'
import { type KnownRequest, mutateRequest } from './mutate-request.ts'
import { RawConnection } from './raw-connection.ts'
import { seededNumbers } from './seeded-numbers.ts'
import { layWireGround, type WireGround, type WireRequest } from './wire-ground.ts'

const CONNECTIONS = 8
/** Of these, every so manieth is of a client that nobody knows. */
const UNKNOWN_EVERY = 5
/** Milliseconds in which an answer comes, on a machine that does other things. */
const PATIENCE = 20_000
/** What a server may hold in memory at most, in mebibytes, whatever it is sent. */
const MOST_MEMORY = 512

/**
 * Requests with something wrong about them, and what is no request, at a process that serves vaults in every state. It answers or ends the
 * connection, it never fails by an exception, and between them it answers good ones.
 */
export const malformedRequests: Campaign = {
  name: 'malformed-requests',
  small: 500,
  full: 100_000,
  run: async (setting) => {
    await using ground = await layWireGround(setting.folder)
    const { wrong, note } = await torment(ground, setting)
    for (const { served, dir } of ground.servers) {
      const said = served.said()
      if (said.includes('Failed:')) wrong.push(`an exception: ${said.slice(said.indexOf('Failed:')).slice(0, 3_000)}`)
      const code = await served.stop('SIGTERM')
      if (code !== 0) wrong.push(`the server of ${dir} ended with ${code}: ${said.slice(-1_000)}`)
      await using vault = await openVault(dir)
      await expectSound(vault).catch((error: unknown) => wrong.push(`${dir}: ${error}`))
    }
    return { points: setting.points, wrong, note }
  },
}

async function torment(ground: WireGround, { seed, points }: Setting): Promise<{ wrong: string[]; note: string }> {
  const all = await Promise.all(ground.requests.map(takeApart))
  const bombs = makeBombs()
  const parts = { clock: systemClock, random: systemRandom }
  const [known, unknown] = await Promise.all(
    [ground.client, anyKey()].map((signer) => createPeerCredentials(signer, parts)),
  )
  if (known === undefined || unknown === undefined) throw new Error('There are no credentials')
  const counts = new Map<string, number>()
  const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1)
  const memory = (what: 'VmRSS' | 'VmHWM') =>
    Math.max(...ground.servers.map(({ served }) => memoryOf(served.pid, what)))
  const before = memory('VmRSS')
  const goodEvery = Math.min(1_000, Math.ceil(points / 10))
  const free = Array.from({ length: CONNECTIONS }, () => new ConnectionPair(known, unknown))
  const wrong = await tryEach(
    Array.from({ length: points }, (_, i) => i),
    CONNECTIONS,
    async (i) => {
      // Each has numbers of its own, as they overtake each other.
      const numbers = seededNumbers(seed + i)
      if (i % goodEvery === 0) await expectGood(ground)
      const request = all[numbers.below(all.length)] as KnownRequest & WireRequest
      const port = Number(new URL(request.served.url).port)
      if (request.served.ended() !== undefined) throw new Error('the server is gone')
      if (numbers.below(200) === 0) {
        count('no TLS')
        await sendPlain(port, numbers.bytes(1 + numbers.below(2_000)))
        return []
      }
      const wired = await mutateRequest(request, { numbers, all, bombs })
      const pair = free.pop() as ConnectionPair
      try {
        const by = pair.to(port, i % UNKNOWN_EVERY === 0 ? 'unknown' : 'known')
        const { statuses, bodies, end } = await by.send(wired.bytes, { ...wired, withinMs: PATIENCE })
        for (const status of statuses) count(String(status))
        if (statuses.length === 0) count('closed')
        const what = `${wired.kind} ${Buffer.from(wired.bytes).toString('latin1', 0, 100)}`
        if (end === 'late') return [`no end of ${what}`]
        if (i % UNKNOWN_EVERY === 0 && !bodies.every((body, at) => statuses[at] !== 200 || tellsNothing(body)))
          return [`a client that nobody knows was answered ${what}`]
        return statuses.filter((status) => status >= 500).map((status) => `${status} for ${what}: ${bodies.join()}`)
      } finally {
        free.push(pair)
      }
    },
    (i) => `request ${i}`,
  )
  await expectGood(ground).catch((error: unknown) => wrong.push(`at the end: ${error}`))
  const connections = free.reduce((sum, pair) => sum + pair.close(), 0)
  const [after, most] = [memory('VmRSS'), memory('VmHWM')]
  if (!(most < MOST_MEMORY)) wrong.push(`it took ${most} MiB of memory`)
  const answers = [...counts].sort().map(([what, times]) => `${what}: ${times}`)
  const note = `${answers.join(', ')}; ${connections} connections; memory ${before} MiB before, ${after} after, ${most} at most`
  return { wrong, note }
}

/** Connections of a client that may do everything, and of one that nobody knows, to each server. */
class ConnectionPair {
  readonly #credentials: Readonly<Record<'known' | 'unknown', PeerCredentials>>
  readonly #open = new Map<string, RawConnection>()

  constructor(known: PeerCredentials, unknown: PeerCredentials) {
    this.#credentials = { known, unknown }
  }

  to(port: number, as: 'known' | 'unknown'): RawConnection {
    const name = `${port} ${as}`
    const connection = this.#open.get(name) ?? new RawConnection(port, this.#credentials[as])
    this.#open.set(name, connection)
    return connection
  }

  /** How many were opened. */
  close(): number {
    const all = [...this.#open.values()]
    for (const each of all) each.close()
    return all.reduce((sum, { opened }) => sum + opened, 0)
  }
}

/** A client that does no harm, and is answered right. */
async function expectGood({ servers, vault, beside, contents }: WireGround): Promise<void> {
  const timeouts = { connect: PATIENCE, idle: PATIENCE, patience: PATIENCE }
  await using target = await reach(servers[0]?.served as Served, beside, vault, { timeouts })
  const { tenure, objects } = await target.look(vault)
  if (tenure.state !== 'active') throw new Error(`the vault is ${tenure.state}`)
  let read = 0
  for await (const { blocks } of objects.getMany([[...contents.keys()]])) {
    for (const { id, bytes } of blocks) if (Buffer.from(bytes).equals(contents.get(id) ?? new Uint8Array())) read++
  }
  if (read !== contents.size) throw new Error(`a good request was answered with ${read} objects of ${contents.size}`)
}

/** Anybody is told the description, and of all vaults about which he may ask, of which there are none. */
function tellsNothing(body: string): boolean {
  return body.includes('"openapi"') || (body.length === 14 && body.endsWith('\x80'))
}

async function takeApart(request: WireRequest): Promise<KnownRequest & WireRequest> {
  async function* body() {
    yield request.body
  }
  const frames = await Array.fromAsync(readFrames(body(), { maxBytes: 2 ** 30, maxItems: 2 ** 24 }))
  return { ...request, frames }
}

/** Short on the wire, and as long as the limits let them be when they are read. */
function makeBombs(): readonly Uint8Array[] {
  const maps = encode(
    Array.from({ length: 2 ** 21 - 1 }, () => ({})),
    { maxBytes: 2 ** 23, maxItems: 2 ** 22 },
  )
  return [maps, new Uint8Array(2 ** 23), encode(new Uint8Array(2 ** 22)), new Uint8Array(96 * 2 ** 20)].map((plain) => {
    const sent = zstdCompressSync(plain)
    const head = Buffer.alloc(13)
    head[0] = 1
    for (const [at, length] of [
      [1, sent.length],
      [5, plain.length],
      [9, plain.length],
    ] as const)
      head.writeUInt32BE(length, at)
    return Buffer.concat([head, sent])
  })
}

/** Bytes that are no TLS, until the other end has had enough of them. */
async function sendPlain(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket
    .on('error', () => {})
    .resume()
    .end(bytes)
  await closed
}

/** In mebibytes. */
function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`^${what}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(found?.[1]) / 1024)
}
