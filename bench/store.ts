/**
 * Fills vaults of growing size on a real disk and does to each what a user does:
 *
 *   pnpm run bench:store [--dir FOLDER] [--sizes 10000,100000,1000000] [--fill-disk]
 *
 * Behind each row stands the exponent of its growth from the first size to the last: 0 is no growth, 1 in proportion.
 * `--fill-disk` leaves 32 MiB on the disk of FOLDER, so give it one of its own, and reclaims the older half in place of every
 * other object: what is stored anew needs room.
 * The row of cold reads is there for root on Linux alone, who can empty the page cache.
 */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Block } from '@vault/cas'
import { type ContentId, contentId } from '@vault/core'
import { createVault, openVault, type Vault } from '@vault/embedded'

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    sizes: { type: 'string', default: '10000,100000,1000000' },
    'fill-disk': { type: 'boolean', default: false },
  },
})
if (values['fill-disk'] && values.dir === undefined)
  throw new Error('--fill-disk needs --dir, a folder on a disk of its own.')
const sizes = values.sizes.split(',').map(Number)
const root = await mkdtemp(join(values.dir ?? tmpdir(), 'vault-store-'))

const OBJECT = 1024
/** The size of every sixteenth object, of which single ones are read. */
const READ_OBJECT = 4096
const READ_EVERY = 16
const BATCH = 8192
const SINGLE = 200
const READS = 2000
const COLD_READS = 500
const LATER = 1000
/** Bytes that a full disk has left. */
const LEFT = 32 * 1024 * 1024

/** A block that no other number has. */
function block(n: number, length: number = n % READ_EVERY === 0 ? READ_OBJECT : OBJECT): Block {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at + 8 <= length; at += 8) bytes.writeDoubleLE(n + at / length, at)
  return { id: contentId(bytes), bytes }
}

/** Brings blocks under charge, batch by batch. */
async function fill(vault: Vault, from: number, to: number): Promise<void> {
  function* batches(): Generator<readonly Block[]> {
    for (let n = from; n < to; n += BATCH) {
      const blocks = Array.from({ length: Math.min(BATCH, to - n) }, (_, i) => block(n + i))
      sizes.push(...blocks.map(({ bytes }) => bytes.length))
      yield blocks
    }
  }
  const sizes: number[] = []
  for await (const { ids, segment } of vault.place.objects.putMany(batches())) {
    const lengths = sizes.splice(0, ids.length)
    const add = ids.map((id, i) => ({ id, size: lengths[i] as number, links: [] }))
    await vault.commit({ expect: { segments: [segment] }, objects: { add } })
  }
}

/** Empties the page cache; false where this process may not. */
async function dropPageCache(): Promise<boolean> {
  try {
    await writeFile('/proc/sys/vm/drop_caches', '3')
    return true
  } catch {
    return false
  }
}

/** Writes until the disk takes no more, and gives {@link LEFT} back: reclaim needs what one segment holds that is still needed. */
async function fillDisk(file: string): Promise<void> {
  await using handle = await open(file, 'w')
  for (let length = 2 ** 24; length >= 512; length /= 2) {
    try {
      while (true) await handle.write(Buffer.alloc(length, 1))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  const { size } = await handle.stat()
  await handle.truncate(Math.max(0, size - LEFT))
  await handle.sync()
}

async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return (performance.now() - start) / 1000
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] as number

/** All figures of one size, in the order of the table. */
async function figuresOf(size: number): Promise<Map<string, number>> {
  const dir = join(root, String(size))
  const stateDir = join(root, 'state')
  const options = { stateDir }
  await createVault(dir, { passphrase: undefined, ...options })
  const figures = new Map<string, number>()
  {
    await using vault = await openVault(dir, options)
    figures.set(
      'objects put and committed, in batches of 8,192, 1/s',
      size / (await seconds(() => fill(vault, 0, size))),
    )
    figures.set('both roots, from nothing, s', await seconds(() => vault.roots()))
    await fill(vault, size, size + LATER)
    figures.set(`both roots, after ${LATER} more, s`, await seconds(() => vault.roots()))
    const times: number[] = []
    for (let i = 0; i < SINGLE; i++) times.push(await seconds(() => vault.place.objects.put(block(-1 - i, 4096).bytes)))
    times.sort((a, b) => a - b)
    figures.set('one object put, durable, p50, ms', quantile(times, 0.5) * 1000)
    figures.set('one object put, durable, p99, ms', quantile(times, 0.99) * 1000)
    const many = Array.from({ length: 256 }, (_, i) => block(-1_000_000 - i, 4096).bytes)
    const at = await seconds(() => Promise.all(many.map((bytes) => vault.place.objects.put(bytes))))
    figures.set('256 objects put at once, durable, ms', at * 1000)
  }
  figures.set(
    'vault opened and closed, ms',
    1000 * (await seconds(async () => (await openVault(dir, options))[Symbol.asyncDispose]())),
  )
  await using vault = await openVault(dir, options)
  const somewhere = (i: number) => block((i * 7919 * READ_EVERY) % (size - (size % READ_EVERY))).id
  const reading = async (ids: readonly ContentId[]) =>
    ids.length /
    (await seconds(async () => {
      for (const id of ids) if ((await vault.place.objects.get(id)) === undefined) throw new Error(`${id} is missing`)
    }))
  const cold = Array.from({ length: COLD_READS }, (_, i) => somewhere(i))
  const warm = Array.from({ length: READS }, (_, i) => somewhere(i))
  if (await dropPageCache())
    figures.set('objects of 4 KiB read one at a time, anywhere, cold, 1/s', await reading(cold))
  await reading(warm)
  figures.set('the same, warm, 1/s', await reading(warm))
  let listed = 0
  const listing = await seconds(async () => {
    for await (const page of vault.place.objects.list()) listed += page.length
  })
  figures.set('ids listed, 1/s', listed / listing)
  const half = Array.from({ length: Math.floor(size / 2) }, (_, i) => block(values['fill-disk'] ? i : 2 * i).id)
  const releasing = await seconds(async () => {
    for (let i = 0; i < half.length; i += BATCH) {
      await vault.commit({ objects: { release: half.slice(i, i + BATCH) } })
    }
  })
  figures.set('objects released, 1/s', half.length / releasing)
  if (values['fill-disk']) await fillDisk(join(root, 'filler'))
  const reclaiming = await seconds(async () => {
    for await (const event of vault.reclaim()) {
      if (event.type === 'report') figures.set('bytes freed, MB', event.bytesFreed / 1e6)
    }
  })
  const what = values['fill-disk']
    ? 'on a disk with 32 MiB left, the older half reclaimed'
    : 'half of the objects reclaimed, the other half stored anew'
  figures.set(`${what}, s`, reclaiming)
  await rm(join(root, 'filler'), { force: true })
  figures.set('peak memory of the process so far, MiB', process.resourceUsage().maxRSS / 1024)
  return figures
}

try {
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, load ${loadavg()[0]?.toFixed(2)}\n`)
  const columns: Map<string, number>[] = []
  for (const size of sizes) {
    columns.push(await figuresOf(size))
    await rm(join(root, String(size)), { recursive: true, force: true })
  }
  const [smallest, largest] = [sizes[0] as number, sizes.at(-1) as number]
  console.log(
    `| objects of ${OBJECT} bytes, each sixteenth of ${READ_OBJECT} | ${sizes.map((size) => size.toLocaleString('en')).join(' | ')} | exponent |`,
  )
  console.log(`|---|${sizes.map(() => '---|').join('')}---|`)
  for (const what of columns[0]?.keys() ?? []) {
    const row = columns.map((column) => column.get(what) as number)
    const exponent = Math.log((row.at(-1) as number) / (row[0] as number)) / Math.log(largest / smallest)
    const figures = row.map((figure) =>
      figure >= 100 ? Math.round(figure).toLocaleString('en') : figure.toPrecision(2),
    )
    console.log(`| ${what} | ${figures.join(' | ')} | ${sizes.length > 1 ? exponent.toFixed(2) : ''} |`)
  }
} finally {
  await rm(root, { recursive: true, force: true })
}
