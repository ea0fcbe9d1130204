import { EXIT } from '../exit-code.ts'
import { newPassphrase, type PassphraseOptions } from '../passphrase.ts'
import type { Program } from '../program.ts'

interface Options extends PassphraseOptions {
  readonly workTree?: boolean
}

export function addInit(program: Program): void {
  const command = program.command
    .command('init <dir>')
    .description('make a new vault in an empty or new folder')
    .option('--work-tree', 'make it in .vault inside a folder that has files')
    .option('--passphrase-file <file>', 'protect the identity and operator keys with the passphrase in this file')
    .option('--no-passphrase', 'keep all keys without a passphrase')
    .addHelpText(
      'after',
      '\nExamples:\n  vaultctl init ~/vault\n  vaultctl init --work-tree ~/project\n  vaultctl init --no-passphrase /mnt/backup/vault',
    )
  program.action<[string, Options]>(command, async ({ output }, dir, options) => {
    const passphrase = await newPassphrase(options, process)
    const { createVault } = await import('@vault/embedded')
    const { join } = await import('node:path')
    const folder = options.workTree ? join(dir, '.vault') : dir
    const vault = await createVault(folder, { passphrase })
    if (passphrase === undefined) {
      output.warn(
        `The keys in ${join(folder, 'keys')} are kept WITHOUT a passphrase: who can read that folder can act as this vault.`,
      )
    }
    await output.result(
      { ok: true, vault, dir: folder, passphrase: passphrase !== undefined },
      `Made vault ${vault} in ${folder}.\nNext: vaultctl put ${dir} FILE…`,
    )
    return EXIT.ok
  })
}
