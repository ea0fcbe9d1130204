import { openingFor, parseExpiry, signingBy } from '../caps-options.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends StateOptions {
  readonly expires: string
  readonly message?: string
}

export function addCapsApprove({ caps, action }: CapsProgram): void {
  const command = caps
    .command('approve <dir> <plan>')
    .description('approve a hand-off, by the id of its plan, with a key to which "approve" was granted')
    .option('--expires <date>', '2027-01-31, 30d or 12h', '7d')
    .option('-m, --message <text>', 'why, for the audit log')
  addStateOption(command).addHelpText(
    'after',
    '\nThe id of the plan is in the message with which "vault-migrate run" stops where approvals are missing.\n\nExample:\n  vaultctl caps approve ~/vault bafy… --as ana --expires 1d',
  )
  action<[string, string, Options]>(command, async ({ output, signal }, dir, plan, options) => {
    const { isContentId } = await import('@vault/core')
    if (!isContentId(plan)) throw new UsageError(`${plan} is not the id of a plan.`)
    const expires = parseExpiry(options.expires, new Date())
    if (expires === null) throw new UsageError('--expires takes a time: an approval is for an act that is near.')
    const { signers } = await signingBy(options)
    if (signers === undefined) throw new UsageError('Name the key that approves: --as NAME.')
    await using vault = await openVaultAt(dir, { ...openingFor(options), output }, { signal })
    const { ids } = await vault.approve(
      { action: 'migrate', act: plan, expires },
      { signers, signal, ...(options.message !== undefined && { motivation: options.message }) },
    )
    await vault.log.drain()
    const until = expires.toISOString()
    await output.result({ ok: true, ids, plan, expires: until }, `Approved ${plan}, until ${until}.`)
    return EXIT.ok
  })
}
