/**
 * A vault full of real files is handed off to another place and verified to the last byte; a certificate proves it to
 * strangers. Then one byte of a copy is flipped, and the damage is found and named. Run from anywhere: it uses this
 * repository's own files.
 */
import { globSync } from 'node:fs'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isVaultError } from '@vault/core'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner } from '@vault/embedded'
import { describeCertificate, moveVault, planMigration, verifyCertificate } from '@vault/migration'

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

  // 2. The move: with its audit trail, to new keys; afterwards it is active there, and here no more.
  const source = await moveSourceOf(vault)
  const target = await openMoveTarget(at('moved'))
  const parts = { source, target, authorize: owner }
  const plan = await planMigration(parts, { reason: 'provider-change', handoff: { keys: 'new' } })
  const moved = await timed(async () => {
    for await (const event of moveVault(plan, parts)) if (event.type === 'moved') return event.state
    throw new Error('The move ended without a word.')
  })
  await target[Symbol.asyncDispose]()
  const { sent, verification, certificate } = moved.result
  if (verification === null || certificate === null) throw new Error('The move is not complete.')
  const { checked } = verification
  say(`2. Moved ${sent.objects} objects and ${sent.entries} entries to another place in ${moved.seconds};`)
  say(`   read back and hashed there: ${checked.objects} objects, ${(checked.bytes / 1e6).toFixed(1)} MB.`)
  check(checked.objects === counts.objects, 'every object was read back')

  // 3. One place has it: the same roots there, and no more changes here.
  {
    await using there = await openVault(at('moved'))
    const { roots: theirs } = await there.roots()
    check(theirs.objects === roots.objects && theirs.soup === roots.soup, 'both places have the same roots')
    await there.put(new TextEncoder().encode('written at the new place'))
    const refused = await vault.put(new TextEncoder().encode('too late')).catch((error: unknown) => error)
    check(isVaultError(refused, 'VAULT_MOVED'), 'the old place takes no more changes')
    const { state } = await there.soup.tenure()
    say(
      `3. It is ${state} there, with the same two roots, and ${(await vault.soup.tenure()).state} here. A change here is refused.`,
    )
  }

  // 4. The proof for strangers: one file, which needs no network and no vault.
  const verdict = verifyCertificate(certificate, { trust: { vaults: [vault.id] } })
  check(verdict.trusted && verdict.findings.length === 0, 'the certificate is good')
  const stranger = verifyCertificate(certificate)
  check(stranger.consistent && !stranger.trusted, 'nobody trusts a vault that they do not know')
  const forged = Uint8Array.from(certificate, (byte, i) => (i === certificate.length >> 1 ? byte ^ 1 : byte))
  check(!verifyCertificate(forged, { trust: { vaults: [vault.id] } }).consistent, 'a forged one is not')
  say(`4. A certificate of ${certificate.length} bytes proves it offline; with one bit changed it proves nothing:\n`)
  if (verdict.certificate !== undefined)
    say(describeCertificate(verdict.certificate, verdict).replaceAll(/^(?=.)/gm, '   '))

  // 5. One byte of a copy flips, as disks do.
  await cp(at('moved'), at('damaged'), { recursive: true })
  const packs = (await readdir(at('damaged/objects'))).filter((name) => name.endsWith('.pack'))
  for (const pack of packs) {
    const path = join(at('damaged/objects'), pack)
    const bytes = await readFile(path)
    const where = bytes.indexOf('Verifiable vaults')
    if (where < 0) continue
    bytes[where] = (bytes[where] as number) ^ 0x20
    await writeFile(path, bytes)
    await using damaged = await openVault(at('damaged'), { mode: 'read' })
    for await (const event of damaged.scrub()) {
      if (event.type !== 'report') continue
      const [object] = event.damaged.filter((damage) => damage.names.length > 0)
      check(!event.ok && object !== undefined, 'the flipped byte is found')
      say(`5. Flipped byte ${where} of ${bytes.length} in a copy: the scrub names ${object?.subject},`)
      say(`   which is ${object?.names.join(', ')}.`)
    }
    break
  }
  await vault[Symbol.asyncDispose]()
  say(`\nDone in ${((performance.now() - started) / 1000).toFixed(1)} s. Try it on your own files:`)
  say('  node_modules/.bin/vaultctl --help\n  node_modules/.bin/vault-migrate --help')
} finally {
  await rm(folder, { recursive: true, force: true })
}
