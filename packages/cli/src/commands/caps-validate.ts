import { openingFor, signingBy } from '../caps-options.ts'
import { UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { OutputFiles } from '../output-files.ts'
import { parseSpan } from '../parse-span.ts'
import { principalNames } from '../principal-names.ts'
import { validatorOf } from '../validation-options.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends StateOptions {
  readonly for: string
  readonly by?: string
  readonly message?: string
  readonly out?: string
}

export function addCapsValidate({ caps, action }: CapsProgram): void {
  const command = caps
    .command('validate <dir> <id>')
    .description(
      'say that a certificate is still good, for a while: by whom it names for that (caps issue --validated-by)',
    )
    .requiredOption('--for <time>', '30s, 10m, 12h or 7d; at most the --max-age of the certificate counts')
    .option('--by <key>', 'for which of those that it names, where you can speak for several: as in --validated-by')
    .option('-m, --message <text>', 'why, for the audit log')
    .option('-o, --out <file>', 'write it into this file, too, to be shown elsewhere (--proof)')
  addStateOption(command).addHelpText(
    'after',
    '\nWithout --as it is said by the operators of the vault. What the same one has said before is replaced. A certificate that asks\nfor it anew for each request is for programs: @vault/spki-caps.\n\nExamples:\n  vaultctl caps issue ~/vault --to bob --action read --validated-by ana --max-age 10m\n  vaultctl caps validate ~/vault bafy… --as ana --for 10m\n  vaultctl caps validate ~/vault bafy… --as ana --for 10m --out bob.valid\n  vaultctl caps validate ~/vault bafy… --as ana --as eva --by eva --for 10m',
  )
  action<[string, string, Options]>(command, async ({ output, signal }, dir, id, options) => {
    const { encodeEnvelope, isContentId } = await import('@vault/core')
    if (!isContentId(id)) throw new UsageError(`${id} is not the id of a certificate.`)
    const seconds = parseSpan('--for', options.for)
    const files = await OutputFiles.expect(options.out)
    const signing = await signingBy(options)
    await using vault = await openVaultAt(dir, { ...openingFor(options), output }, { signal })
    const motivation = options.message === undefined ? {} : { motivation: options.message }
    const until = new Date(Date.now() + seconds * 1000)
    const by = options.by === undefined ? {} : { by: await validatorOf('--by', options.by, options, vault.id) }
    const validated = await vault.validateCap(id, until, { ...signing, ...by, signal, ...motivation })
    await vault.log.drain()
    await files.write(
      options.out,
      encodeEnvelope(validated.envelope),
      'It counts in the vault: validate it again for a file.',
    )
    const end = validated.until.toISOString()
    const issuer = (await principalNames(options, vault))(validated.issuer)
    return await files.report(
      output,
      { ok: true, id: validated.id, certificate: id, issuer: validated.issuer, until: end },
      `${id} is good until ${end}, says ${issuer}.`,
    )
  })
}
