import { ceremonyResult } from '../ceremony-result.ts'
import { EXIT } from '../exit-code.ts'
import type { CeremonyProgram } from './ceremony.ts'

export function addCeremonyStatus({ ceremony, action }: CeremonyProgram): void {
  const command = ceremony
    .command('status <dir>')
    .description('say what a ceremony is to do, who has done his part, and who owes what')
    .addHelpText('after', '\nExample:\n  vaultctl ceremony status council')
  action<[string]>(command, async ({ output }, dir) => {
    const [{ CeremonyFolder }, { describeCeremony }] = [
      await import('@vault/embedded'),
      await import('@vault/spki-caps/ceremony'),
    ]
    const read = await new CeremonyFolder(dir).read()
    const ok = read.findings.length === 0
    await output.result({ ok, ...ceremonyResult(read) }, describeCeremony(read).join('\n'))
    return ok ? EXIT.ok : EXIT.refused
  })
}

export function addCeremonyVerify({ ceremony, action }: CeremonyProgram): void {
  const command = ceremony
    .command('verify <dir>')
    .description('verify a ceremony from its folder alone, without a vault and without a secret')
    .addHelpText('after', '\nExample:\n  vaultctl ceremony verify council')
  action<[string]>(command, async ({ output }, dir) => {
    const [{ CeremonyFolder }, { describeCeremony }] = [
      await import('@vault/embedded'),
      await import('@vault/spki-caps/ceremony'),
    ]
    const read = await new CeremonyFolder(dir).read()
    const ok = read.phase === 'complete' && read.findings.length === 0
    await output.result({ ok, ...ceremonyResult(read) }, describeCeremony(read).join('\n'))
    return ok ? EXIT.ok : EXIT.refused
  })
}
