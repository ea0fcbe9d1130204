import { openingFor, parseEnd, signingBy } from '../caps-options.ts'
import { EXIT } from '../exit-code.ts'
import { counted } from '../human.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends StateOptions {
  readonly until: string
  readonly message?: string
}

export function addCapsPublish({ caps, action }: CapsProgram): void {
  const command = caps
    .command('publish <dir>')
    .description('say, signed by the operators, that these are all revocations of the vault, up to a time')
    .option('--until <date>', '2027-01-31, 30d or 12h', '30d')
    .option('-m, --message <text>', 'why, for the audit log')
  addStateOption(command).addHelpText(
    'after',
    '\nFrom the first time on it must be said again before the time is over, and after other operators came: else whoever acts by\ncertificates is refused (CAPS_STALE), so that nobody goes on by what was revoked elsewhere. Who has the folder is not refused.\n\nOperators whose keys are in your keystore are named with --as, so many as it takes.\n\nExamples:\n  vaultctl caps publish ~/vault --until 7d\n  vaultctl caps publish ~/vault --as ana --as eva',
  )
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const until = parseEnd('--until', options.until, new Date(), 'nobody can say now what will never be revoked')
    const signing = await signingBy(options)
    await using vault = await openVaultAt(dir, { ...openingFor(options), output }, { signal })
    const motivation = options.message === undefined ? {} : { motivation: options.message }
    const set = await vault.publishRevocations(until, { ...signing, signal, ...motivation })
    await vault.log.drain()
    const [from, next] = [set.from.toISOString(), set.until.toISOString()]
    await output.result(
      { ok: true, id: set.id, from, until: next, revocations: set.revocations },
      `Published ${counted(set.revocations, 'revocation')}, all that there are, from ${from} until ${next}.`,
    )
    return EXIT.ok
  })
}
