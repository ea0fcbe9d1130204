/**
 * Moves a seeded workload with `vault-migrate`, beside what else would be used, in one run on one disk:
 *
 *   pnpm run bench:migrate [--workload standard|tenth|million] [--without rsync] [--dir FOLDER] [--runs N] [--seed N]
 *
 * The ratios to the others and to the floor are what counts: seconds are this machine's.
 */
import { access } from 'node:fs/promises'
import { printRatios, times, vaultctl, vaultMigrate, Workbench } from './workbench.ts'

await using bench = await Workbench.open()
const remove = (...names: readonly string[]) => bench.remove(...names)

const exists = (name: string): Promise<boolean> =>
  access(bench.at(name)).then(
    () => true,
    () => false,
  )

await bench.run('find tree -type f -print0 | sort -z | xargs -0 cat > all.bin && sync')
const dd = await bench.record(
  'floor: dd of all bytes with fsync',
  'dd if=all.bin of=copy.bin bs=8M conv=fsync status=none',
  { prepare: () => remove('copy.bin') },
)
const hash = await bench.record('floor: one BLAKE3 pass', 'b3sum --num-threads 1 copy.bin')
const floor = dd && hash && { seconds: dd.seconds + hash.seconds }

const cp = await bench.record('cp -r + sync', 'cp -r tree cp && sync', { prepare: () => remove('cp') })
await remove('cp', 'all.bin', 'copy.bin')
await bench.record('rsync -a --fsync (not verified)', 'rsync -a --fsync tree rsync', { prepare: () => remove('rsync') })
await remove('rsync')
const rcloneMove = 'rclone sync --checksum tree rclone -q && rclone check tree rclone -q'
const rclone = await bench.record('rclone sync --checksum + check', rcloneMove, { prepare: () => remove('rclone') })
const resticPut = await bench.record('restic backup (the tree)', 'restic -r restic backup tree -q', {
  prepare: async () => {
    await remove('restic')
    await bench.run('restic -r restic init -q')
  },
})
const restic = await bench.record(
  'restic copy + check --read-data',
  'restic -r restic-copy copy --from-repo restic -q && restic -r restic-copy check --read-data -q',
  {
    prepare: async () => {
      await remove('restic-copy')
      await bench.run('restic -r restic-copy init -q --from-repo restic --copy-chunker-params')
    },
  },
)
const resticVerify = await bench.record(
  'restic check --read-data (every byte)',
  'restic -r restic-copy check --read-data -q',
)
const put = await bench.record('vaultctl put (the tree)', `cd tree && ${vaultctl} put ../source . -q`, {
  prepare: async () => {
    await remove('source')
    await bench.run(`${vaultctl} init --no-passphrase source`)
  },
})
// A vault moves once, so each run is followed by the way back, which is not measured.
const move = await bench.record(
  'vault-migrate run (all bytes verified, handed off)',
  `${vaultMigrate} run --from source --to moved --certificate moved.cert -q`,
  {
    prepare: async () => {
      if (await exists('moved')) await bench.run(`${vaultMigrate} run --from source --to moved --back -q`)
      await remove('moved')
    },
  },
)
await bench.run(`${vaultMigrate} run --from source --to moved --back -q`)
await remove('moved')
const copy = `${vaultMigrate} run --from source --to target --no-handoff -q`
const migrate = await bench.record('vault-migrate run --no-handoff (all bytes verified)', copy, {
  prepare: () => remove('target'),
})
await bench.record('rclone sync --checksum + check, nothing changed (hashes all)', rcloneMove)
const unchanged = await bench.record('vault-migrate run --no-handoff, nothing changed (compares roots)', copy)
const verify = await bench.record('vaultctl verify (every byte)', `${vaultctl} verify target -q`)
await bench.record('vaultctl root', `${vaultctl} root target -q`)
// Each run has another hundredth of the files to send.
const change = () => bench.change(100)
const putAgain = `cd tree && ${vaultctl} put ../source . -q`
const rcloneChanged = await bench.record(
  'rclone sync, 1 % changed (by size and time, hashes nothing)',
  'rclone sync tree rclone -q',
  { prepare: change },
)
await bench.record('vaultctl put, 1 % changed', putAgain, { prepare: change })
const changed = await bench.record('vault-migrate run --no-handoff, 1 % changed', copy, {
  prepare: async () => {
    await change()
    await bench.run(putAgain)
  },
})

bench.printRows()
const handOff = move && migrate && `${((move.seconds / migrate.seconds - 1) * 100).toFixed(1)} %`
printRatios([
  [
    'a migration, of the floor (dd + one BLAKE3 pass)',
    floor && migrate ? `${(migrate.seconds / floor.seconds).toFixed(2)} ×` : 'not run',
    '≤ 2.5 ×',
  ],
  ['a migration, as fast as rclone sync + check', times(rclone, migrate), '≥ 5 ×'],
  ['a migration, as fast as restic copy + check', times(restic, migrate), '≥ 8 ×'],
  ['a migration, as fast as cp -r + sync', times(cp, migrate), '≥ 3 ×'],
  ['the hand-off, of the time of the copy', handOff ?? 'not run', '< 10 %'],
  ['nothing changed', unchanged ? `${unchanged.seconds.toFixed(2)} s` : 'not run', '≤ 0.3 s'],
  ['1 % changed, as fast as rclone without hashing', times(rcloneChanged, changed), '≥ 1 ×'],
  ['put, as fast as restic backup', times(resticPut, put), '≥ 3 ×'],
  ['verify, as fast as restic check --read-data', times(resticVerify, verify), '≥ 8 ×'],
])
const versions = await bench.run(
  'rclone --version | head -1; restic version; rsync --version | head -1; b3sum --version',
)
console.log(`\n${versions.stdout.trim().split('\n').join(' · ')}`)
