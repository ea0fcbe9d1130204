import type { Vault } from '@vault/embedded'
import { openingFor, signingBy } from '../caps-options.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { addStateOption, openVaultAt, type StateOptions } from '../open-vault.ts'
import { placeCertificate } from '../place-certificate.ts'
import { revokeForPlace } from '../place-grants.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends StateOptions {
  readonly message?: string
  readonly place?: boolean
  readonly thisPlace?: boolean
}

export function addCapsRevoke({ caps, action }: CapsProgram): void {
  const command = caps
    .command('revoke <dir> <id>')
    .description('take a certificate back, for ever, with all that was granted on by it')
    .option('-m, --message <text>', 'why, for the audit log')
    .option('--place', 'a certificate of this place, which lets somebody bring vaults: "caps issue --place"')
    .option('--this-place', 'also the certificate by which this place itself works with the vault')
  addStateOption(command).addHelpText(
    'after',
    '\nIts issuer can, those from whom the issuer has what it grants, and the operators of the vault.\nWhat was granted on by it counts no more, and is not revoked itself: it counts again once its issuer is granted the same by another\ncertificate. Revoke that, too, where it is not meant to; "caps issue" says what counts again.\n\nExamples:\n  vaultctl caps revoke ~/vault bafy…\n  vaultctl caps revoke ~/vault bafy… --as ana',
  )
  action<[string, string, Options]>(command, async (run, dir, id, options) => {
    const { output, signal } = run
    if (options.place) return await revokeForPlace(run, dir, { ...options, certificate: id })
    const { isContentId } = await import('@vault/core')
    if (!isContentId(id)) throw new UsageError(`${id} is not the id of a certificate.`)
    const signing = await signingBy(options)
    await using vault = await openVaultAt(dir, { ...openingFor(options), output }, { signal })
    if (!options.thisPlace && id === (await placeCertificate(vault, { signal }))) throw ownPlace(id, dir, vault)
    const motivation = options.message === undefined ? {} : { motivation: options.message }
    const revocation = await vault.revokeCap({ certificate: id }, { ...signing, signal, ...motivation })
    await vault.log.drain()
    await output.result({ ok: true, id, revocation: revocation.id }, `Revoked ${id}.`)
    return EXIT.ok
  })
}

function ownPlace(id: string, dir: string, { place }: Vault): UsageError {
  return new UsageError(
    `${id} is the certificate by which this place works with the vault: without it nobody reads or changes the vault here but with a certificate of his own (--as). Nothing was revoked. Where that is meant, say --this-place; it is granted anew with: vaultctl caps issue ${dir} --to ${place.info.key} --action "*" --expires never`,
  )
}
