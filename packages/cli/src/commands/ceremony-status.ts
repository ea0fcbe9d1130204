import type { Ceremony } from '@vault/spki-caps/ceremony'
import { ceremonyResult } from '../ceremony-result.ts'
import { EXIT } from '../exit-code.ts'
import type { CeremonyProgram } from './ceremony.ts'

export function addCeremonyStatus(program: CeremonyProgram): void {
  addReading(program, {
    name: 'status',
    description: 'say what a ceremony is to do, who has done his part, and who owes what',
    isGood: () => true,
  })
}

export function addCeremonyVerify(program: CeremonyProgram): void {
  addReading(program, {
    name: 'verify',
    description: 'verify a ceremony from its folder alone, without a vault and without a secret',
    isGood: ({ owed }) => owed.length === 0,
  })
}

/** A command that reads the folder of a ceremony, and says what it finds. */
function addReading(
  { ceremony, action }: CeremonyProgram,
  reading: {
    readonly name: string
    readonly description: string
    /** Of one that holds as far as it is. */
    readonly isGood: (ceremony: Ceremony) => boolean
  },
): void {
  const { name, description, isGood } = reading
  const command = ceremony
    .command(`${name} <dir>`)
    .description(description)
    .addHelpText('after', `\nExample:\n  vaultctl ceremony ${name} council`)
  action<[string]>(command, async ({ output }, dir) => {
    const { CeremonyFolder } = await import('@vault/embedded')
    const { describeCeremony } = await import('@vault/spki-caps/ceremony')
    const read = await new CeremonyFolder(dir).read()
    const holds = read.findings.length === 0
    const ok = holds && isGood(read)
    await output.result({ ok, ...ceremonyResult(read) }, describeCeremony(read).join('\n'))
    if (!holds) return EXIT.refused
    // What others still owe may come.
    return ok ? EXIT.ok : EXIT.incomplete
  })
}
