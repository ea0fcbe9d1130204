/**
 * Moves a seeded workload with `vault-migrate`, beside what else would be used, in one run on one disk:
 *
 *   pnpm run bench:migrate [--workload standard|tenth|million] [--dir FOLDER] [--runs N] [--seed N]
 *
 * Every figure is the median of N runs. The ratios to rclone and to the floor are what counts: seconds are this machine's.
 */
import { access, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cost, measure, median } from './measure.ts'
import { makeWorkload, WORKLOADS } from './workload.ts'

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: 'standard' },
    dir: { type: 'string' },
    runs: { type: 'string', default: '3' },
    seed: { type: 'string', default: '20261121' },
  },
})
const classes = WORKLOADS[values.workload]
if (classes === undefined)
  throw new Error(`No workload ${values.workload}; there are ${Object.keys(WORKLOADS).join(', ')}.`)
const runs = Number(values.runs)
const root = await mkdtemp(join(values.dir ?? tmpdir(), 'vault-bench-'))
const at = (name: string): string => join(root, name)
const bin = (name: string): string =>
  `"${process.execPath}" "${join(import.meta.dirname, '../packages/cli/bin', name)}.mjs"`
const vaultctl = bin('vaultctl')
const vaultMigrate = bin('vault-migrate')

const remove = async (...names: readonly string[]): Promise<void> => {
  for (const name of names) await rm(at(name), { recursive: true, force: true })
  await measure('sync')
}

const exists = (name: string): Promise<boolean> =>
  access(at(name)).then(
    () => true,
    () => false,
  )

interface Row {
  readonly what: string
  readonly cost: Cost
}
const rows: Row[] = []
const record = async (what: string, prepare: () => Promise<void>, command: string, times = runs): Promise<Cost> => {
  process.stderr.write(`${what} …\n`)
  const cost = await median(times, prepare, () => measure(command, { cwd: root }))
  rows.push({ what, cost })
  return cost
}

try {
  process.stderr.write(`Making workload ${values.workload} …\n`)
  const workload = await makeWorkload(at('tree'), classes, Number(values.seed))
  await measure(`find tree -type f -print0 | sort -z | xargs -0 cat > all.bin && sync`, { cwd: root })

  const dd = await record(
    'floor: dd of all bytes with fsync',
    () => remove('copy.bin'),
    'dd if=all.bin of=copy.bin bs=8M conv=fsync status=none',
  )
  const hash = await record('floor: one BLAKE3 pass', async () => {}, 'b3sum --num-threads 1 copy.bin')
  const floor = dd.seconds + hash.seconds

  await record('cp -r + sync', () => remove('cp'), 'cp -r tree cp && sync')
  const rclone = await record(
    'rclone sync --checksum + check',
    () => remove('rclone'),
    'rclone sync --checksum tree rclone --config /dev/null -q && rclone check tree rclone --config /dev/null -q',
  )
  await record(
    'vaultctl put (the tree)',
    async () => {
      await remove('source')
      await measure(`${vaultctl} init --no-passphrase source`, { cwd: root })
    },
    `cd tree && ${vaultctl} put ../source . -q`,
  )
  // A vault moves once, so each run is followed by the way back, which is not measured.
  const move = await record(
    'vault-migrate run (all bytes verified, handed off)',
    async () => {
      if (await exists('moved')) await measure(`${vaultMigrate} run --from source --to moved --back -q`, { cwd: root })
      await remove('moved')
    },
    `${vaultMigrate} run --from source --to moved --certificate moved.cert -q`,
  )
  await measure(`${vaultMigrate} run --from source --to moved --back -q`, { cwd: root })
  await remove('moved')
  const migrate = await record(
    'vault-migrate run --no-handoff (all bytes verified)',
    () => remove('target'),
    `${vaultMigrate} run --from source --to target --no-handoff -q`,
  )
  await record(
    'rclone sync --checksum + check, nothing changed (hashes all)',
    async () => {},
    'rclone sync --checksum tree rclone --config /dev/null -q && rclone check tree rclone --config /dev/null -q',
  )
  await record(
    'vault-migrate run --no-handoff, nothing changed (compares roots)',
    async () => {},
    `${vaultMigrate} run --from source --to target --no-handoff -q`,
  )
  await record('vaultctl verify (every byte)', async () => {}, `${vaultctl} verify target -q`)
  await record('vaultctl root', async () => {}, `${vaultctl} root target -q`)

  console.log(
    `Workload ${values.workload}: ${workload.files} files, ${(workload.bytes / 1e9).toFixed(2)} GB, seed ${values.seed}. Median of ${runs}.`,
  )
  console.log(
    `Machine: ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}.\n`,
  )
  console.log('| what | wall s | CPU s | peak MiB | files/s | MB/s |')
  console.log('|---|---|---|---|---|---|')
  for (const { what, cost } of rows) {
    const { seconds, cpuSeconds, peakMiB } = cost
    console.log(
      `| ${what} | ${seconds.toFixed(2)} | ${cpuSeconds.toFixed(2)} | ${peakMiB.toFixed(0)} | ${Math.round(workload.files / seconds)} | ${Math.round(workload.bytes / 1e6 / seconds)} |`,
    )
  }
  console.log(
    `\nmigrate: ${(migrate.seconds / floor).toFixed(2)} × the floor (dd + one BLAKE3 pass), ${(rclone.seconds / migrate.seconds).toFixed(2)} × as fast as rclone sync + check.`,
  )
  console.log(
    `hand-off: log, keys and certificate cost ${((move.seconds / migrate.seconds - 1) * 100).toFixed(1)} % of the copy's time.`,
  )
} finally {
  await rm(root, { recursive: true, force: true })
}
