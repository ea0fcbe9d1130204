import {
  actionsOf,
  openingFor,
  parseExpiry,
  pathOf,
  principalOf,
  sayIssued,
  signingBy,
  TO_WHOM,
  warnOfActions,
} from '../caps-options.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { OutputFiles, writeCap } from '../output-files.ts'
import { placeCertificate } from '../place-certificate.ts'
import { issueForPlace } from '../place-grants.ts'
import { addValidationOptions, checksOf, type ValidationOptions } from '../validation-options.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends StateOptions, ValidationOptions {
  readonly to: string
  readonly action: string
  readonly object?: string
  readonly delegate?: boolean
  readonly expires?: string
  readonly message?: string
  readonly place?: boolean
  readonly out?: string
}

/** Where nothing is said. For ever must be written. */
const DEFAULT_EXPIRY = '30d'

export function addCapsIssue({ caps, action }: CapsProgram): void {
  const command = caps
    .command('issue <dir>')
    .description('grant somebody something: by the operators of the vault, or on what was granted to you (--as)')
    .requiredOption('--to <key>', TO_WHOM)
    .requiredOption('--action <verbs>', 'what may be done, as read,write,migrate; "*" for all')
    .option('--object <path>', 'only at or below this folder or name in the vault')
    .option('--delegate', 'it may be granted on')
    .option('--expires <date>', `2027-01-31, 30d, 12h or never; default: ${DEFAULT_EXPIRY}`)
    .option('-m, --message <text>', 'why, for the audit log')
    .option('-o, --out <file>', 'write the certificate into this file, too, to be shown elsewhere (--proof)')
    .option(
      '--place',
      'let somebody bring vaults to this place: write on any that is not there yet, or on the one that --object names. By the key of the place, or one of yours that "vaultctl serve --trust" names (--as)',
    )
  addStateOption(addValidationOptions(command)).addHelpText(
    'after',
    '\nWho moves or copies the whole vault needs "migrate" where it lies and "write" where it goes:\n--action migrate,write. "migrate" alone moves nothing.\nMembers of a council sign together (--as twice), or each issues a half by himself: it counts once enough of them have.\n\nExamples:\n  vaultctl caps issue ~/vault --to bob --action read,write --object photos --expires 30d\n  vaultctl caps issue ~/vault --to 2-of:ana,ben,eva --action migrate,write --delegate --expires never\n  vaultctl caps issue ~/vault --as ana --as eva --to carol --action migrate,write\n  vaultctl caps issue ~/vault --to vault/accountants --action read --object docs --expires never\n  vaultctl caps issue ~/vault --to bob --action read --validated-by ana --max-age 10m\n  vaultctl caps issue /srv/vault --place --to ed25519:z6Mk… --action write --out carol.cap',
  )
  action<[string, Options]>(command, async (run, dir, options) => {
    const { output, signal } = run
    const { expires: until = DEFAULT_EXPIRY } = options
    if (options.place) return await issueForPlace(run, dir, { ...options, expires: until })
    const { nameFromPath } = await import('@vault/embedded')
    const expires = parseExpiry('--expires', until, new Date())
    const path = options.object === undefined ? undefined : pathOf('--object', nameFromPath(options.object))
    const actions = actionsOf(options.action)
    warnOfActions(output, actions)
    const files = await OutputFiles.expect(options.out)
    const signing = await signingBy(options)
    await using vault = await openVaultAt(dir, { ...openingFor(options), output }, { signal })
    const checks = await checksOf(options, vault.id)
    const to = await principalOf(options.to, options, { vault: vault.id })
    const before = await placeCertificate(vault, { signal })
    const issued = await vault.issueCap(
      { to, actions, expires, delegate: options.delegate ?? false, ...(path !== undefined && { path }), ...checks },
      { ...signing, signal, ...(options.message !== undefined && { motivation: options.message }) },
    )
    await vault.log.drain()
    await writeCap(files, options.out, { dir, ...issued })
    const after = await placeCertificate(vault, { signal })
    const own = after === before ? undefined : after
    if (own !== undefined)
      output.warn(
        `Note: the operators signed ${own} as well, by which the key of this place works with the vault: everything, for ever, as it was before their keys were replaced. To take that back: vaultctl caps revoke ${dir} ${own} --this-place`,
      )
    return await sayIssued(output, issued, { vault, options, files, own })
  })
}
