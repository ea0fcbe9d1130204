import { othersOf } from '../approval-lines.ts'
import { openingFor, signingBy } from '../caps-options.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { parseCount } from '../parse-count.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends StateOptions {
  readonly action: string
  readonly approvals: string
  readonly message?: string
}

export function addCapsMandate({ caps, action }: CapsProgram): void {
  const command = caps
    .command('mandate <dir>')
    .description('say, signed by the operators, how many others have to approve a hand-off before it is begun')
    .requiredOption('--action <verb>', 'migrate: a hand-off to another place')
    .requiredOption('--approvals <n>', 'so many different people, none of whom does it; 0: nobody any more')
    .option('-m, --message <text>', 'why, for the audit log')
  addStateOption(command).addHelpText(
    'after',
    '\nWhoever is to approve is granted "approve". Two keys that come of one grant are one person. Operators whose keys are in your\nkeystore are named with --as, so many as it takes.\n\nExamples:\n  vaultctl caps issue ~/vault --to ana --action approve --expires never\n  vaultctl caps mandate ~/vault --action migrate --approvals 2\n  vault-migrate run --from ~/vault --to /mnt/new/vault\n  vaultctl caps approve ~/vault bafy… --as ana\n  vault-migrate resume --from ~/vault --to /mnt/new/vault',
  )
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    if (options.action !== 'migrate') throw new UsageError('--action is migrate: nothing else is held to a mandate.')
    const approvals = parseCount('--approvals', options.approvals, 0)
    if (approvals > 64) throw new UsageError('--approvals is at most 64.')
    const signing = await signingBy(options)
    await using vault = await openVaultAt(dir, { ...openingFor(options), output }, { signal })
    const { id, seq } = await vault.mandate(
      { action: 'migrate', approvals },
      { ...signing, signal, ...(options.message !== undefined && { motivation: options.message }) },
    )
    await vault.log.drain()
    await output.result(
      { ok: true, id, seq, action: options.action, approvals },
      approvals === 0
        ? 'A hand-off needs no approval any more.'
        : `A hand-off needs the approval of ${othersOf(approvals)} from now on.`,
    )
    return EXIT.ok
  })
}
