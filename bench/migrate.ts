/**
 * Moves a seeded workload with `vault-migrate`, beside what else would be used, in one run on one disk:
 *
 *   pnpm run bench:migrate [--workload standard|tenth|million] [--without rsync] [--dir FOLDER] [--runs N] [--seed N]
 *
 * Rows that begin with the name of a program that is left out are not run: of a million files some take hours.
 * Every figure is the median of N runs. The ratios to the others and to the floor are what counts: seconds are this machine's.
 */
import { access, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cost, measure, median } from './measure.ts'
import { changeSome, makeWorkload, WORKLOADS } from './workload.ts'

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: 'standard' },
    dir: { type: 'string' },
    runs: { type: 'string', default: '3' },
    seed: { type: 'string', default: '20261121' },
    without: { type: 'string', multiple: true, default: [] },
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
  await run('sync')
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
// Kept to the folder of the benchmark, and without a word of either's own configuration.
const env = {
  ...process.env,
  XDG_STATE_HOME: at('state'),
  RCLONE_CONFIG: '/dev/null',
  RESTIC_CACHE_DIR: at('restic-cache'),
  RESTIC_PASSWORD: 'bench',
  RESTIC_FROM_PASSWORD: 'bench',
}
const run = (command: string): Promise<Cost> => measure(command, { cwd: root, env })
const rows: Row[] = []
const record = async (what: string, prepare: () => Promise<void>, command: string): Promise<Cost | undefined> => {
  if (values.without.some((program) => what.startsWith(program))) return undefined
  process.stderr.write(`${what} …\n`)
  const cost = await median(runs, prepare, () => run(command))
  rows.push({ what, cost })
  return cost
}

try {
  process.stderr.write(`Making workload ${values.workload} …\n`)
  const workload = await makeWorkload(at('tree'), classes, Number(values.seed))
  await run('find tree -type f -print0 | sort -z | xargs -0 cat > all.bin && sync')

  const dd = await record(
    'floor: dd of all bytes with fsync',
    () => remove('copy.bin'),
    'dd if=all.bin of=copy.bin bs=8M conv=fsync status=none',
  )
  const hash = await record('floor: one BLAKE3 pass', async () => {}, 'b3sum --num-threads 1 copy.bin')
  const floor = dd && hash && { seconds: dd.seconds + hash.seconds }

  const cp = await record('cp -r + sync', () => remove('cp'), 'cp -r tree cp && sync')
  await remove('cp', 'all.bin', 'copy.bin')
  await record('rsync -a --fsync (not verified)', () => remove('rsync'), 'rsync -a --fsync tree rsync')
  await remove('rsync')
  const rcloneMove = 'rclone sync --checksum tree rclone -q && rclone check tree rclone -q'
  const rclone = await record('rclone sync --checksum + check', () => remove('rclone'), rcloneMove)
  const resticPut = await record(
    'restic backup (the tree)',
    async () => {
      await remove('restic')
      await run('restic -r restic init -q')
    },
    'restic -r restic backup tree -q',
  )
  const restic = await record(
    'restic copy + check --read-data',
    async () => {
      await remove('restic-copy')
      await run('restic -r restic-copy init -q --from-repo restic --copy-chunker-params')
    },
    'restic -r restic-copy copy --from-repo restic -q && restic -r restic-copy check --read-data -q',
  )
  const resticVerify = await record(
    'restic check --read-data (every byte)',
    async () => {},
    'restic -r restic-copy check --read-data -q',
  )
  const put = await record(
    'vaultctl put (the tree)',
    async () => {
      await remove('source')
      await run(`${vaultctl} init --no-passphrase source`)
    },
    `cd tree && ${vaultctl} put ../source . -q`,
  )
  // A vault moves once, so each run is followed by the way back, which is not measured.
  const move = await record(
    'vault-migrate run (all bytes verified, handed off)',
    async () => {
      if (await exists('moved')) await run(`${vaultMigrate} run --from source --to moved --back -q`)
      await remove('moved')
    },
    `${vaultMigrate} run --from source --to moved --certificate moved.cert -q`,
  )
  await run(`${vaultMigrate} run --from source --to moved --back -q`)
  await remove('moved')
  const migrate = await record(
    'vault-migrate run --no-handoff (all bytes verified)',
    () => remove('target'),
    `${vaultMigrate} run --from source --to target --no-handoff -q`,
  )
  await record('rclone sync --checksum + check, nothing changed (hashes all)', async () => {}, rcloneMove)
  const unchanged = await record(
    'vault-migrate run --no-handoff, nothing changed (compares roots)',
    async () => {},
    `${vaultMigrate} run --from source --to target --no-handoff -q`,
  )
  const verify = await record('vaultctl verify (every byte)', async () => {}, `${vaultctl} verify target -q`)
  await record('vaultctl root', async () => {}, `${vaultctl} root target -q`)
  // Each run has another hundredth of the files to send.
  let generation = 0
  const change = async (): Promise<void> => {
    await changeSome(at('tree'), classes, 100, ++generation)
    await run('sync')
  }
  const rcloneChanged = await record(
    'rclone sync, 1 % changed (by size and time, hashes nothing)',
    change,
    'rclone sync tree rclone -q',
  )
  await record('vaultctl put, 1 % changed', change, `cd tree && ${vaultctl} put ../source . -q`)
  const changed = await record(
    'vault-migrate run --no-handoff, 1 % changed',
    async () => {
      await change()
      await run(`cd tree && ${vaultctl} put ../source . -q`)
    },
    `${vaultMigrate} run --from source --to target --no-handoff -q`,
  )

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
  const versions = await run('rclone --version | head -1; restic version; rsync --version | head -1; b3sum --version')
  type Timed = Pick<Cost, 'seconds'> | undefined
  const times = (a: Timed, b: Timed): string => (a && b ? `${(a.seconds / b.seconds).toFixed(2)} ×` : 'not run')
  const handOff = move && migrate && `${((move.seconds / migrate.seconds - 1) * 100).toFixed(1)} %`
  const ratios: readonly (readonly [string, string, string])[] = [
    ['a migration, of the floor (dd + one BLAKE3 pass)', times(migrate, floor), '≤ 2.5 ×'],
    ['a migration, as fast as rclone sync + check', times(rclone, migrate), '≥ 5 ×'],
    ['a migration, as fast as restic copy + check', times(restic, migrate), '≥ 8 ×'],
    ['a migration, as fast as cp -r + sync', times(cp, migrate), '≥ 3 ×'],
    ['the hand-off, of the time of the copy', handOff ?? 'not run', '< 10 %'],
    ['nothing changed', unchanged ? `${unchanged.seconds.toFixed(2)} s` : 'not run', '≤ 0.3 s'],
    ['1 % changed, as fast as rclone without hashing', times(rcloneChanged, changed), '≥ 1 ×'],
    ['put, as fast as restic backup', times(resticPut, put), '≥ 3 ×'],
    ['verify, as fast as restic check --read-data', times(resticVerify, verify), '≥ 8 ×'],
  ]
  console.log('\n| ratio of this run | figure | aim |\n|---|---|---|')
  for (const row of ratios) console.log(`| ${row.join(' | ')} |`)
  console.log(`\n${versions.stdout.trim().split('\n').join(' · ')}`)
} finally {
  await rm(root, { recursive: true, force: true })
}
