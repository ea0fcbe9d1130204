import { openingFor, parseExpiry, principalOf, signingBy, TO_WHOM } from '../caps-options.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { OutputFiles, writeCap } from '../output-files.ts'
import { nameForPlace } from '../place-grants.ts'
import { principalNames } from '../principal-names.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends StateOptions {
  readonly to: string
  readonly expires?: string
  readonly message?: string
  readonly place?: boolean
  readonly out?: string
}

/** Where nothing is said. For ever must be written. */
const DEFAULT_EXPIRY = '30d'

export function addCapsName({ caps, action }: CapsProgram): void {
  const command = caps
    .command('name <dir> <name>')
    .description(
      'call somebody by a name of the vault, or of yours (--as): what is granted to the name reaches all who are called so',
    )
    .requiredOption('--to <key>', TO_WHOM)
    .option('--expires <date>', `2027-01-31, 30d, 12h or never; default: ${DEFAULT_EXPIRY}`)
    .option('-m, --message <text>', 'why, for the audit log')
    .option('-o, --out <file>', 'write the certificate into this file, too, to be shown elsewhere (--proof)')
    .option(
      '--place',
      'a name of the key of this place, or of one of yours that it trusts (--as): "caps issue --place"',
    )
  addStateOption(command).addHelpText(
    'after',
    '\nAny number may be called by one name. "caps revoke" with the id ends it.\n\nExamples:\n  vaultctl caps issue ~/vault --to vault/accountants --action read --object docs --expires never\n  vaultctl caps name ~/vault accountants --to ana --expires 2027-12-31\n  vaultctl caps name ~/vault accountants --to hr/staff\n  vaultctl caps name ~/vault staff --as hr --to ben\n  vaultctl caps issue /srv/vault --place --to place/movers --action write --out movers.cap\n  vaultctl caps name /srv/vault movers --place --to ed25519:z6Mk… --out carol.cap',
  )
  action<[string, string, Options]>(command, async (run, dir, name, options) => {
    const { output, signal } = run
    const { to: word, expires: until = DEFAULT_EXPIRY, message, out } = options
    if (options.place) return await nameForPlace(run, dir, { ...options, name, expires: until })
    const expires = parseExpiry('--expires', until, new Date())
    const files = await OutputFiles.expect(out)
    const signing = await signingBy(options)
    await using vault = await openVaultAt(dir, { ...openingFor(options), output }, { signal })
    const to = await principalOf(word, options, { vault: vault.id })
    const motivation = message === undefined ? {} : { motivation: message }
    const issued = await vault.nameCap({ name, to, expires }, { ...signing, signal, ...motivation })
    await vault.log.drain()
    await writeCap(files, out, { dir, ...issued })
    const { id, name: text } = issued
    const ends = expires?.toISOString() ?? null
    const called = (await principalNames(options, vault))(text)
    return await files.report(
      output,
      { ok: true, id, name: text, expires: ends },
      `${word} is called ${called}, ${ends === null ? 'for ever' : `until ${ends}`}: certificate ${id}.`,
    )
  })
}
