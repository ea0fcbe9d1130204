import { openingFor, parseEnd, signingBy } from '../caps-options.ts'
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
    '\n"vaultctl status" and "vault-migrate status" say which plan waits, and "vault-migrate run" does where it stops for that.\n\nExample:\n  vaultctl caps approve ~/vault bafy… --as ana --expires 1d',
  )
  action<[string, string, Options]>(command, async ({ output, signal }, dir, plan, options) => {
    const { isContentId } = await import('@vault/core')
    if (!isContentId(plan)) throw new UsageError(`${plan} is not the id of a plan.`)
    const expires = parseEnd('--expires', options.expires, new Date(), 'an approval is for an act that is near')
    const { signers } = await signingBy(options)
    if (signers === undefined) throw new UsageError('Name the key that approves: --as NAME.')
    await using vault = await openVaultAt(dir, { ...openingFor(options), output }, { signal })
    // Asked first: what cannot be told is no reason to sign.
    const { moveStatuses } = await import('@vault/embedded')
    const moves = await moveStatuses(vault.place, { vault: vault.id, signal })
    const awaited = moves.some(({ approvals }) => approvals?.plan === plan)
    const { ids } = await vault.approve(
      { action: 'migrate', act: plan, expires },
      { signers, signal, ...(options.message !== undefined && { motivation: options.message }) },
    )
    await vault.log.drain()
    if (!awaited)
      output.warn(`Warning: no move from here waits for the approval of ${plan}: "vault-migrate status ${dir}".`)
    const until = expires.toISOString()
    await output.result({ ok: true, ids, plan, expires: until, awaited }, `Approved ${plan}, until ${until}.`)
    return EXIT.ok
  })
}
