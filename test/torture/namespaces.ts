import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Nobody has this one. */
const NOBODY = '02:00:00:00:00:99'

/** How a link is cut: both ends see it, or packets of one of them, or of both, go nowhere and nobody is told. */
export const CUTS = ['down', 'silent', 'silent-to-server', 'silent-to-client'] as const
export type Cut = (typeof CUTS)[number]

/** Two networks of one machine, joined by a link that can be cut. */
export interface JoinedNetworks extends AsyncDisposable {
  /** The address of the server's network. */
  readonly address: string
  /** What starts a command in a network. */
  readonly inServer: readonly string[]
  readonly inClient: readonly string[]
  cut(how: Cut): Promise<void>
  heal(): Promise<void>
}

/** Needs root, and a kernel with network namespaces. `n`: tells those of one process apart. */
export async function joinNetworks(n: number): Promise<JoinedNetworks> {
  const name = (end: string) => `vt${process.pid}-${n}${end}`
  const ends = [
    { space: name('s'), device: `vs${n}`, address: '10.213.7.1', hardware: '02:00:00:00:00:01' },
    { space: name('c'), device: `vc${n}`, address: '10.213.7.2', hardware: '02:00:00:00:00:02' },
  ] as const
  const [server, client] = ends
  const ip = (...args: readonly string[]) => run('ip', args)
  const dispose = async () => {
    for (const { space } of ends) await ip('netns', 'del', space).catch(() => {})
  }
  /** Where packets to the other end go. An entry of one's own is never asked about, so nobody finds out that it is wrong. */
  const lead = (end: (typeof ends)[number], to: { readonly address: string }, hardware: string) =>
    ip('-n', end.space, 'neigh', 'replace', to.address, 'lladdr', hardware, 'dev', end.device, 'nud', 'permanent')
  const heal = async () => {
    await ip('-n', client.space, 'link', 'set', client.device, 'up')
    await lead(client, server, server.hardware)
    await lead(server, client, client.hardware)
  }
  try {
    for (const { space } of ends) await ip('netns', 'add', space)
    await ip(
      ...['link', 'add', server.device, 'netns', server.space, 'address', server.hardware, 'type', 'veth'],
      ...['peer', 'name', client.device, 'netns', client.space, 'address', client.hardware],
    )
    for (const { space, device, address } of ends) {
      await ip('-n', space, 'address', 'add', `${address}/24`, 'dev', device)
      for (const each of ['lo', device]) await ip('-n', space, 'link', 'set', each, 'up')
    }
    await heal()
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    address: server.address,
    inServer: ['ip', 'netns', 'exec', server.space],
    inClient: ['ip', 'netns', 'exec', client.space],
    async cut(how) {
      if (how === 'down') await ip('-n', client.space, 'link', 'set', client.device, 'down')
      if (how === 'silent' || how === 'silent-to-server') await lead(client, server, NOBODY)
      if (how === 'silent' || how === 'silent-to-client') await lead(server, client, NOBODY)
    },
    heal,
    [Symbol.asyncDispose]: dispose,
  }
}
