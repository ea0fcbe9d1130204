/**
 * Appends to, proves from and verifies audit trails on a real disk:
 *
 *   pnpm run bench:log [--dir FOLDER] [--entries N]
 *
 * Every figure is of one run; the load of the machine, which is printed, belongs to it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { AuditEvent, LogStore, Trail } from '@vault/audit-chain'
import { createAppender, encodeEvent, openTrail, verifyTrail } from '@vault/audit-chain'
import { createSigner, systemClock } from '@vault/core'
import type { Fs } from '@vault/store-fs'
import { openFsLogStore, smallFileFs, writeDurably } from '@vault/store-fs'

const { values } = parseArgs({ options: { dir: { type: 'string' }, entries: { type: 'string', default: '1000000' } } })
const entries = Number(values.entries)
const signer = createSigner(new Uint8Array(32).fill(1))
const origin = 'bench.example/trail'
const root = await mkdtemp(join(values.dir ?? tmpdir(), 'vault-log-'))

let flushes = 0
const counting: Fs = {
  ...smallFileFs,
  open: async (path, mode) => {
    const file = await smallFileFs.open(path, mode)
    const datasync = file.datasync.bind(file)
    file.datasync = () => {
      flushes++
      return datasync()
    }
    return file
  },
  syncDir: (path) => {
    flushes++
    return smallFileFs.syncDir(path)
  },
}

const event = (n: number): AuditEvent => ({
  time: 1_700_000_000 + n,
  actor: { name: 'bench', key: signer.key, proven: true },
  action: { verb: 'put', object: `path:photos/${n}.jpg`, parameters: { size: n } },
  key: `bench:${n}`,
})

async function opened(name: string): Promise<{ trail: Trail; store: LogStore }> {
  const store = await openFsLogStore({ dir: join(root, name), mode: 'write', fs: counting })
  return { store, trail: await openTrail({ origin, store, keys: [], signer, clock: systemClock }) }
}

async function timed(what: string, count: number, run: () => Promise<void>): Promise<void> {
  flushes = 0
  const start = performance.now()
  await run()
  const seconds = (performance.now() - start) / 1000
  const rate = Math.round(count / seconds).toLocaleString('en')
  const cost = flushes === 0 ? '' : `, ${(flushes / count).toFixed(2)} flushes each`
  console.log(`${what.padEnd(44)} ${rate.padStart(9)}/s${cost}`)
}

try {
  console.log(`${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(2)}, ${root}`)
  await timed('floor: a file made, flushed, named, flushed', 300, async () => {
    for (let n = 0; n < 300; n++)
      await writeDurably(counting, join(root, 'floor'), join(root, 'floor.tmp'), new Uint8Array(20_000))
  })
  const single = await opened('single')
  await timed('appended one at a time, durable and signed', 1000, async () => {
    for (let n = 0; n < 1000; n++) await single.trail.extend(n, [encodeEvent(event(n))])
  })
  const many = await opened('many')
  const appender = createAppender(many.trail)
  await timed('appended by 256 at once, durable and signed', 51_200, async () => {
    let next = 0
    const client = async (): Promise<void> => {
      while (next < 51_200) await appender.append(event(next++))
    }
    await Promise.all(Array.from({ length: 256 }, client))
  })
  const large = await opened('large')
  await timed(`appended in groups of 4,096`, entries, async () => {
    for (let n = 0; n < entries; n += 4096) {
      const group = Array.from({ length: Math.min(4096, entries - n) }, (_, i) => encodeEvent(event(n + i)))
      await large.trail.extend(n, group)
    }
  })
  await timed('proofs of single entries, anywhere', 20_000, async () => {
    for (let i = 0; i < 20_000; i++) await large.trail.prove((i * 7919) % entries)
  })
  await timed('verified, every file', entries, async () => {
    for await (const { findings } of verifyTrail({
      log: large.store,
      origin,
      keys: [{ name: origin, key: signer.key }],
    })) {
      if (findings.length > 0) throw new Error(findings[0]?.message)
    }
  })
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(`peak memory ${megabytes} MB, load at the end ${loadavg()[0]?.toFixed(2)}`)
} finally {
  await rm(root, { recursive: true, force: true })
}
