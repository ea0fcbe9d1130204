/**
 * A vault full of real files is moved to another place and verified to the last byte; then one byte of the copy is
 * flipped, and the damage is found and named. Run from anywhere: it uses this repository's own files.
 */
import { globSync } from 'node:fs'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVault, openTarget, openVault, owner, sourceOf } from '@vault/embedded'
import { planMigration, runMigration, verifyMigration } from '@vault/migration'

const started = performance.now()
const repository = join(import.meta.dirname, '../..')
const folder = await mkdtemp(join(tmpdir(), 'full-vault-'))
const at = (name: string): string => join(folder, name)
process.chdir(repository)

function say(text: string): void {
  console.log(text)
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: string }> {
  const begun = performance.now()
  const result = await work()
  return { result, seconds: `${((performance.now() - begun) / 1000).toFixed(2)} s` }
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`This should hold and does not: ${what}`)
}

try {
  // 1. Real files: this repository's own, and the documentation of what it depends on.
  const own = globSync(
    [
      '*.{json,md,ts,yaml}',
      '{bench,docs,formats,test}/**/*',
      '{packages,examples}/*/*.{json,md}',
      'packages/*/{src,test}/**/*',
    ],
    {
      withFileTypes: true,
    },
  )
  const documentation = globSync(
    'node_modules/.pnpm/*/node_modules/**/{LICENSE*,package.json,*.{md,txt,d.ts,d.mts,d.cts}}',
    { withFileTypes: true },
  )
  const files = [...own, ...documentation]
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
  await createVault(at('vault'), { passphrase: undefined })
  const vault = await openVault(at('vault'))
  const put = await timed(async () => {
    let total = { files: 0, objects: 0, bytes: 0 }
    for await (const event of vault.putFiles(files)) if (event.type === 'stored') total = event
    return total
  })
  const { roots, counts } = await vault.roots()
  say(
    `1. Put ${counts.entries} files, ${(counts.bytes / 1e6).toFixed(1)} MB in ${counts.objects} objects, in ${put.seconds}.`,
  )
  say(`   Everything in the vault, in two hashes:\n   objects ${roots.objects}\n   soup    ${roots.soup}`)
  check(counts.entries === new Set(files).size, 'every file has a name in the vault')

  // 2. The move: a plan, a run, and everything read back at the new place.
  const source = sourceOf(vault)
  const target = await openTarget(at('moved'))
  const parts = { source, target, authorize: owner }
  const plan = await planMigration(parts, { reason: 'provider-change' })
  const moved = await timed(async () => {
    for await (const event of runMigration(plan, parts)) if (event.type === 'summary') return event.summary
    throw new Error('The run ended without a summary.')
  })
  const { sent, verification } = moved.result
  say(`2. Moved ${sent.objects} objects and ${sent.entries} entries to another place in ${moved.seconds};`)
  say(
    `   read back and hashed there: ${verification.checked.objects} objects, ${(verification.checked.bytes / 1e6).toFixed(1)} MB. Findings: ${verification.findings.length}.`,
  )
  check(verification.ok && verification.checked.objects === counts.objects, 'every object was read back')

  // 3. The proof: the same roots, so the same objects and the same entries, byte for byte.
  await target[Symbol.asyncDispose]()
  {
    await using copy = await openVault(at('moved'))
    const there = await copy.roots()
    check(there.roots.objects === roots.objects && there.roots.soup === roots.soup, 'both places have the same roots')
    say(
      `3. The copy has the same two roots. It is a ${(await copy.soup.tenure()).state}: it is read here and written at its source.`,
    )
  }

  // 4. One byte of a copy flips, as disks do.
  await cp(at('moved'), at('damaged'), { recursive: true })
  const [pack] = (await readdir(at('damaged/objects'))).filter((name) => name.endsWith('.pack'))
  const path = join(at('damaged/objects'), pack as string)
  const bytes = await readFile(path)
  const where = bytes.indexOf('Verifiable vaults')
  bytes[where] = (bytes[where] as number) ^ 0x20
  await writeFile(path, bytes)
  {
    await using damaged = await openVault(at('damaged'), { mode: 'read' })
    for await (const event of damaged.scrub()) {
      if (event.type !== 'report') continue
      check(!event.ok, 'the flipped byte is found')
      const [object] = event.damaged.filter((damage) => damage.names.length > 0)
      say(
        `4. Flipped byte ${where} of ${bytes.length} in a copy: the scrub names ${object?.subject},\n   which is ${object?.names.join(', ')}.`,
      )
    }
    const open = await openTarget(at('damaged'))
    const damagedParts = { source, target: open, authorize: owner }
    const report = await verifyMigration(await planMigration(damagedParts), damagedParts)
    check(!report.ok, 'a verification against the source finds it too')
    say(`   A verification against the source says: ${report.findings[0]?.message}`)
    await open[Symbol.asyncDispose]()
  }
  await vault[Symbol.asyncDispose]()
  say(`\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s. Try it on your own files:`)
  say('  node_modules/.bin/vaultctl --help\n  node_modules/.bin/vault-migrate --help')
} finally {
  await rm(folder, { recursive: true, force: true })
}
