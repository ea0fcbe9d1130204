/**
 * Finds what differs between a large vault and a server that has an older copy of it, and counts what went over the wire:
 *
 *   pnpm run bench:walk [--files 1000000] [--dir FOLDER]
 *
 * A file is an object and an entry. The server is a process of its own; the programs have started, so a row is the finding alone. Both have
 * computed their roots before the changes, as they do with every copy and check.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { contentId, createSigner, generateSecretKey, type KeyId, systemRandom, utf8 } from '@vault/core'
import { createVault, openVault, type Vault } from '@vault/embedded'
import { httpSource } from '@vault/migration/http'
import { allowedKeys, startServer } from '@vault/server'
import { diffVaults } from '@vault/transfer'
import { cpuSecondsOf } from './measure.ts'
import { type Relay, relayTo } from './relay.ts'

const BATCH = 8_192
const CHANGES = [0, 1, 100, 10_000]
const PATIENT = { connect: 60_000, idle: 60_000, patience: 120_000 }

interface Served {
  readonly url: string
  readonly key: KeyId
}

/** Writes so many files, each in one of its versions. */
async function write(vault: Vault, from: number, to: number, version: number): Promise<void> {
  for (let n = from; n < to; n += BATCH) {
    const blocks = Array.from({ length: Math.min(BATCH, to - n) }, (_, i) => {
      const bytes = utf8(`file ${n + i} version ${version}`)
      return { id: contentId(bytes), bytes, name: `path:files/${n + i}` }
    })
    const segments: string[] = []
    for await (const { segment } of vault.place.objects.putMany([blocks])) segments.push(segment)
    await vault.commit({
      objects: { add: blocks.map(({ id, bytes }) => ({ id, size: bytes.length, links: [] })) },
      entries: { put: blocks.map(({ id, name }) => ({ key: name, type: 'path', object: id, fields: {} })) },
      expect: { segments },
    })
  }
}

async function find(
  vault: Vault,
  { relay, server, theirs }: { relay: Relay; server: ChildProcess; theirs: Parameters<typeof diffVaults>[1] },
) {
  const [began, bytes, turns] = [performance.now(), relay.bytes(), relay.turns()]
  const [ours, served] = [process.cpuUsage(), await cpuSecondsOf(server.pid as number)]
  let found = 0
  for await (const { onlySource, onlyTarget, differing } of diffVaults(vault.soup, theirs)) {
    found += onlySource.length + onlyTarget.length + differing.length
  }
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(ours)
  const cpu = (user + system) / 1e6 + (await cpuSecondsOf(server.pid as number)) - served
  return { found, seconds, cpu, bytes: relay.bytes() - bytes, turns: relay.turns() - turns }
}

async function serve(dir: string, key: KeyId): Promise<void> {
  const { url, key: own } = await startServer({ dir, authorize: allowedKeys([key]) })
  process.send?.({ url, key: own } satisfies Served)
}

async function run(files: number, parent: string): Promise<void> {
  const root = await mkdtemp(join(parent, 'vault-walk-'))
  const [a, b] = [join(root, 'a'), join(root, 'b')]
  const place = createSigner(generateSecretKey(systemRandom))
  try {
    await createVault(a, { passphrase: undefined })
    {
      await using vault = await openVault(a)
      await write(vault, 0, files, 0)
      await vault.roots()
    }
    await cp(a, b, { recursive: true })
    const server = fork(import.meta.filename, ['serve', b, place.key], { execArgv: process.execArgv })
    const [{ url, key }] = (await once(server, 'message')) as [Served]
    using relay = await relayTo(Number(new URL(url).port))
    await using vault = await openVault(a)
    const reached = { vault: vault.id, place, peerKey: key, timeouts: PATIENT }
    await using source = await httpSource(`https://127.0.0.1:${relay.port}`, reached)
    console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load ${loadavg()[0]?.toFixed(2)}\n`)
    console.log(
      `| of ${files.toLocaleString('en')} files changed | rows found | s | CPU s of both | kB on the wire | ways there and back |`,
    )
    console.log('|---|---|---|---|---|---|')
    let changed = 0
    for (const more of CHANGES) {
      // Far from each other: a key is a hash.
      await write(vault, changed, changed + more, 1)
      changed += more
      const { found, seconds, cpu, bytes, turns } = await find(vault, { relay, server, theirs: source.soup })
      const figures = [changed, found, seconds.toFixed(2), cpu.toFixed(2), Math.round(bytes / 1000), turns]
      console.log(`| ${figures.map((figure) => figure.toLocaleString('en')).join(' | ')} |`)
    }
    server.kill('SIGKILL')
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { files: { type: 'string', default: '1000000' }, dir: { type: 'string', default: tmpdir() } },
})
const [task, dir = '', client = ''] = positionals
if (task === 'serve') await serve(dir, client as KeyId)
else await run(Number(values.files), values.dir)
