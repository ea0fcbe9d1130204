import { readFile } from 'node:fs/promises'
import type { CertificateTrust } from '@vault/migration'
import { EXIT, UsageError } from '../exit-code.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { OutputFiles, writeOutputFile } from '../output-files.ts'
import type { Program } from '../program.ts'

interface Options {
  readonly trust?: readonly string[]
}

interface CertificateOptions extends ReadOptions {
  readonly output: string
  readonly migration?: string
}

const TRUST = 'the id of a vault, or an identity key of it, that you know from elsewhere'

export function addVerifyCertificate(program: Program): void {
  const command = program.command
    .command('verify-cert <file>')
    .description('verify a migration certificate by itself, without a network')
    .option('--trust <key...>', TRUST)
    .addHelpText(
      'after',
      '\nWithout --trust a certificate can be consistent, and is never trusted: anybody can make one of a vault of their own.\n\nExample:\n  vault-migrate verify-cert moved.cert --trust bafyrei…',
    )
  program.action<[string, Options]>(command, async ({ output }, file, { trust }) => {
    const { verifyCertificate } = await import('@vault/migration')
    const verdict = verifyCertificate(await read(file), { trust: await trustOf(trust) })
    const ok = verdict.consistent && (trust === undefined || verdict.trusted)
    const { trusted, findings } = verdict
    for (const { message } of findings) output.note(message)
    await output.result({ ok, trusted, findings }, verdictLine(verdict))
    return ok ? EXIT.ok : EXIT.refused
  })
}

export function addShowCertificate(program: Program): void {
  const command = program.command
    .command('show-cert <file>')
    .description('say in words what a migration certificate proves, and what it does not')
    .option('--trust <key...>', TRUST)
    .addHelpText('after', '\nExample:\n  vault-migrate show-cert moved.cert')
  program.action<[string, Options]>(command, async ({ output }, file, { trust }) => {
    const { describeCertificate, verifyCertificate } = await import('@vault/migration')
    const verdict = verifyCertificate(await read(file), { trust: await trustOf(trust) })
    const { certificate, consistent: ok, trusted, findings } = verdict
    const text =
      certificate === undefined
        ? `${file} is no migration certificate.`
        : describeCertificate(certificate, verdict).trimEnd()
    await output.result({ ok, trusted, findings }, text)
    return ok ? EXIT.ok : EXIT.refused
  })
}

export function addCertificate(program: Program): void {
  const command = program.command
    .command('certificate <dir>')
    .description('write the certificate of the migration by which a vault came to this place')
    .requiredOption('-o, --output <file>', 'the file')
    .option('--migration <id>', 'which one; default: the latest')
    .addHelpText('after', '\nExample:\n  vault-migrate certificate /mnt/new/vault -o moved.cert')
  addReadOptions(command)
  program.action<[string, CertificateOptions]>(command, async ({ output, signal }, dir, options) => {
    await OutputFiles.expect(options.output)
    const { readMoveCertificate } = await import('@vault/migration')
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const migration = options.migration ?? (await vault.soup.tenure({ signal })).migration
    const bytes = migration && (await readMoveCertificate(vault.place.soups.records, migration, { signal }))
    if (bytes === undefined || bytes === '') {
      throw new UsageError(`No migration that ended in ${dir} has this id, or none has.`)
    }
    await writeOutputFile(options.output, bytes, 'Name another file.')
    await output.result(
      { ok: true, migration_id: migration, certificate: options.output, bytes: bytes.length },
      `Wrote the certificate of the migration ${migration} into ${options.output}.`,
    )
    return EXIT.ok
  })
}

async function read(file: string): Promise<Uint8Array> {
  return await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The file ${file} cannot be read: ${error.code}.`)
  })
}

async function trustOf(given: readonly string[] = []): Promise<CertificateTrust> {
  const { isContentId, isVaultError, parseKeyId } = await import('@vault/core')
  const vaults = given.filter(isContentId)
  const keys = given
    .filter((text) => !isContentId(text))
    .map((text) => {
      try {
        return parseKeyId(text)
      } catch (error) {
        if (!isVaultError(error, 'KEY_ID_INVALID')) throw error
        throw new UsageError(`--trust takes the id of a vault, or a key: ${JSON.stringify(text)} is neither.`)
      }
    })
  return { vaults, keys }
}

function verdictLine({ consistent, trusted }: { readonly consistent: boolean; readonly trusted: boolean }): string {
  if (trusted) return 'Trusted: the certificate is consistent, and of a vault that you trust.'
  if (consistent) return 'Consistent, and not trusted: nothing that you gave vouches for the vault.'
  return 'REFUSED: the certificate is not consistent, so nothing in it is proven.'
}
