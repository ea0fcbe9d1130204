import type { Vault } from '@vault/embedded'
import {
  actionsOf,
  parseExpiry,
  pathOf,
  principalOf,
  sayIssued,
  signingBy,
  TO_WHOM,
  warnOfActions,
} from '../caps-options.ts'
import { UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { addValidationOptions, checksOf, type ValidationOptions } from '../validation-options.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends StateOptions, ValidationOptions {
  readonly to: string
  readonly action?: string
  readonly object?: string
  readonly delegate?: boolean
  readonly expires?: string
  readonly message?: string
}

export function addCapsAttenuate({ caps, action }: CapsProgram): void {
  const command = caps
    .command('attenuate <dir> <id>')
    .description('grant on what a certificate grants to you, or less of it; what would be more is refused')
    .requiredOption('--to <key>', TO_WHOM)
    .option('--action <verbs>', 'of what it grants, only this, as read,write')
    .option('--object <path>', 'only at or below this folder or name in the vault')
    .option('--delegate', 'it may be granted on further')
    .option('--expires <date>', '2027-01-31, 30d, 12h or never; default: when the certificate does')
    .option('-m, --message <text>', 'why, for the audit log')
  addStateOption(addValidationOptions(command)).addHelpText(
    'after',
    '\nExample:\n  vaultctl caps attenuate ~/vault bafy… --as carol --to dave --action read --object photos --expires 7d',
  )
  action<[string, string, Options]>(command, async ({ output, signal }, dir, id, options) => {
    const { nameFromPath } = await import('@vault/embedded')
    const { isContentId } = await import('@vault/core')
    if (!isContentId(id)) throw new UsageError(`${id} is not the id of a certificate.`)
    const { action: verbs, object, delegate = false, expires, message } = options
    const { signers } = await signingBy(options)
    if (signers === undefined)
      throw new UsageError('Name your key with --as: a certificate is granted on by the one to whom it grants.')
    const narrowing: Omit<Parameters<Vault['attenuateCap']>[1], 'to'> = {
      delegate,
      ...(verbs !== undefined && { actions: actionsOf(verbs) }),
      ...(object !== undefined && { path: pathOf('--object', nameFromPath(object)) }),
      ...(expires !== undefined && { expires: parseExpiry('--expires', expires, new Date()) }),
    }
    warnOfActions(output, narrowing.actions ?? '*')
    await using vault = await openVaultAt(dir, { ...options, output }, { signal })
    const motivation = message === undefined ? {} : { motivation: message }
    const checks = await checksOf(options, vault.id)
    const to = await principalOf(options.to, options, { vault: vault.id })
    const issued = await vault.attenuateCap(id, { ...narrowing, to, ...checks }, { signers, signal, ...motivation })
    await vault.log.drain()
    return await sayIssued(output, issued, { vault, options, from: id })
  })
}
