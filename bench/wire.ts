/**
 * Moves a seeded workload to a server in a process of its own over loopback, beside what else would carry it there:
 *
 *   pnpm run bench:wire [--workload standard|tenth|million] [--without rsync] [--dir FOLDER] [--runs N] [--seed N]
 *
 * Ours and those of rclone go over TLS or SSH, `restic` encrypts what it sends over HTTP; `rsync` and `git` send it in
 * the clear. The time of a row ends when the client does; the server is measured beside it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { relayTo } from './relay.ts'
import { printRatios, times, vaultctl, vaultMigrate, Workbench } from './workbench.ts'

await using bench = await Workbench.open()

/** A program that listens until it is stopped. */
class Listening {
  readonly #command: string
  #child: ChildProcess | undefined

  constructor(command: string) {
    this.#command = command
  }

  get pid(): number {
    return this.#child?.pid as number
  }

  /** Starts it; gives the first line that it prints, or the first that says that it listens. */
  async start(isReady: (line: string) => boolean): Promise<string> {
    // `exec`: the process is the program, and no shell around it.
    const child = spawn('bash', ['-c', `exec ${this.#command} 2>&1`], {
      cwd: bench.at('.'),
      env: bench.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#child = child
    for await (const line of createInterface({ input: child.stdout })) if (isReady(line)) return line
    throw new Error(`${this.#command} ended before it was ready`)
  }

  async stop(): Promise<void> {
    if (this.#child === undefined) return
    const closed = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await closed
    this.#child = undefined
  }
}

/** Starts a peer's server, which says nothing of it, when its port answers. */
async function startOn(port: number, listening: Listening): Promise<void> {
  void listening.start(() => false).catch(() => {})
  for (let tries = 0; tries < 100; tries++) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`Nothing listens on ${port}`)
}

await bench.run(`${vaultctl} init --no-passphrase source`)
const putAgain = `cd tree && ${vaultctl} put ../source . -q`
await bench.run(putAgain)
const { key } = JSON.parse((await bench.run(`${vaultctl} status source --json`)).stdout) as { readonly key: string }
const local = await bench.record(
  'vault-migrate run --no-handoff, to a folder',
  `${vaultMigrate} run --from source --to local --no-handoff -q`,
  { prepare: () => bench.remove('local') },
)
await bench.remove('local')

const ours = new Listening(`${vaultctl} serve served --no-passphrase --allow ${key} --json`)
let url = ''
let peerKey = ''
const serve = async (): Promise<void> => {
  const line = await ours.start((text) => text.startsWith('{'))
  ;({ url, key: peerKey } = JSON.parse(line) as { url: string; key: string })
}
const to =
  (verb: string): (() => string) =>
  () =>
    `${vaultMigrate} ${verb} --from source --to ${url} --peer-key ${peerKey} -q`
const server = () => ours.pid
const wire = await bench.record('vault-migrate run --no-handoff, to a server', to('run --no-handoff'), {
  server,
  prepare: async () => {
    await ours.stop()
    await bench.remove('served')
    await serve()
  },
})
await bench.record('vault-migrate run --no-handoff, to a server, nothing changed', to('run --no-handoff'), { server })
const changed = async (share: number): Promise<void> => {
  await bench.change(share)
  await bench.run(putAgain)
}
for (const [name, share] of [
  ['1 %', 100],
  ['0.01 %', 10_000],
] as const) {
  await bench.record(`vault-migrate run --no-handoff, to a server, ${name} changed`, to('run --no-handoff'), {
    server,
    prepare: () => changed(share),
  })
}
await changed(10_000)
const relay = await relayTo(Number(new URL(url).port))
// Its exit code 1 says that something differs.
const found = await bench.run(
  `${vaultMigrate} diff --from source --to https://127.0.0.1:${relay.port} --peer-key ${peerKey} -q || test $? = 1`,
)
relay[Symbol.dispose]()
await ours.stop()
await bench.remove('served')

const peers: { readonly what: string; readonly cost: Awaited<ReturnType<typeof bench.record>> }[] = []
const peer = async (what: string, port: number, serverCommand: string, folder: string, command: string) => {
  if (bench.isLeftOut(what)) return
  const listening = new Listening(serverCommand)
  const cost = await bench.record(what, command, {
    server: () => listening.pid,
    prepare: async () => {
      await listening.stop()
      await bench.remove(folder)
      await bench.run(`mkdir ${folder}`)
      await startOn(port, listening)
    },
  })
  await listening.stop()
  await bench.remove(folder)
  peers.push({ what, cost })
}

await bench.run(
  'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout tls.key -out tls.crt -days 2 -subj /CN=localhost',
)
const dav = ':webdav: --webdav-url https://127.0.0.1:47101 --no-check-certificate -q'
await peer(
  'rclone sync + check --download, WebDAV over TLS',
  47101,
  'rclone serve webdav dav --addr 127.0.0.1:47101 --cert tls.crt --key tls.key',
  'dav',
  `rclone sync tree ${dav} && rclone check tree ${dav} --download`,
)
const sftp = ':sftp: --sftp-host 127.0.0.1 --sftp-port 47102 --sftp-user bench --sftp-pass $(rclone obscure bench) -q'
await peer(
  'rclone sync --checksum + check, SFTP',
  47102,
  'rclone serve sftp sftp --addr 127.0.0.1:47102 --user bench --pass bench',
  'sftp',
  `rclone sync --checksum tree ${sftp} && rclone check tree ${sftp}`,
)
if (!bench.isLeftOut('restic')) await bench.run('restic -r restic init -q && restic -r restic backup tree -q')
const rest = 'restic -r rest:http://127.0.0.1:47103/'
await peer(
  'restic copy + check --read-data, REST',
  47103,
  'rclone serve restic rest --addr 127.0.0.1:47103',
  'rest',
  `${rest} init -q --from-repo restic --copy-chunker-params && ${rest} copy --from-repo restic -q && ${rest} check --read-data -q`,
)
await writeFile(
  bench.at('rsyncd.conf'),
  `port = 47104\naddress = 127.0.0.1\nuse chroot = no\n[all]\npath = ${bench.at('rsync')}\nread only = no\nuid = ${process.getuid?.()}\ngid = ${process.getgid?.()}\n`,
)
await peer(
  'rsync -a --fsync, its own protocol (not verified)',
  47104,
  'rsync --daemon --no-detach --config rsyncd.conf',
  'rsync',
  'rsync -a --fsync tree rsync://127.0.0.1:47104/all',
)
if (!bench.isLeftOut('git'))
  await bench.run(
    'git init -q repository && git -C repository --work-tree=../tree add . && git -C repository -c user.name=bench -c user.email=bench commit -qm all',
  )
await peer(
  'git clone + fsck, its own protocol',
  47105,
  'git daemon --reuseaddr --listen=127.0.0.1 --port=47105 --export-all --base-path=.',
  'git',
  'git -c transfer.fsckObjects=true clone -q --bare git://127.0.0.1:47105/repository git/clone && git -C git/clone fsck --full',
)

bench.printRows()
const verifying = peers.flatMap(({ what, cost }) => (cost && !what.startsWith('rsync') ? [cost] : []))
const fastest = verifying.toSorted((a, b) => a.seconds - b.seconds)[0]
printRatios([
  ['a copy to a server, of the speed of one to a folder', times(local, wire), '≥ 0.6 ×'],
  ['a copy to a server, as fast as the fastest that verifies', times(fastest, wire), '≥ 5 ×'],
  [
    'one file in 10,000 changed: what differs found',
    `${found.seconds.toFixed(2)} s, ${Math.round(relay.bytes() / 1000)} kB on the wire`,
    '≤ 0.5 s, ≤ 200 kB',
  ],
])
const versions = await bench.run('rclone --version | head -1; restic version; rsync --version | head -1; git --version')
console.log(`\n${versions.stdout.trim().split('\n').join(' · ')}`)
