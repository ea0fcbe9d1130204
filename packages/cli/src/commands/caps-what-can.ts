import { keysOf } from '../caps-options.ts'
import { EXIT } from '../exit-code.ts'
import { grantWords, heldLines } from '../grant-text.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { principalNames } from '../principal-names.ts'
import { publishedLines } from '../published-lines.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends ReadOptions {
  readonly for: string
}

export function addCapsWhatCan({ caps, action }: CapsProgram): void {
  const command = caps
    .command('what-can <dir>')
    .description('list what somebody may do with a vault, alone and together with others')
    .requiredOption('--for <key>', 'a key, or its name in your keystore; several that act together with commas')
  addReadOptions(command).addHelpText(
    'after',
    '\nExamples:\n  vaultctl caps what-can ~/vault --for carol\n  vaultctl caps what-can ~/vault --for ana,eva',
  )
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { revocationStanding } = await import('@vault/embedded')
    const keys = await keysOf(options.for, options)
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const { alone, together, unlisted } = await vault.caps.whatCan(keys, { signal })
    const shown = { name: await principalNames(options, vault), words: await grantWords(vault.id) }
    const published = await revocationStanding(vault.caps, { signal })
    const who = keys.map(shown.name).join(' and ')
    const lines = [
      ...publishedLines(published),
      alone.length === 0 ? `Nothing was granted to ${who}.` : `What ${who} may do:`,
      ...heldLines(alone, shown),
      ...(together.length === 0
        ? []
        : ['Only together with others:', ...heldLines(together, { ...shown, among: [...alone, ...together] })]),
      ...(unlisted.length === 0
        ? []
        : [
            'There may be more, by what these granted on: it goes more ways than are looked at.',
            ...heldLines(unlisted, shown),
          ]),
    ]
    await output.result(
      { ok: true, keys, alone, together, unlisted, ...(published && { published }) },
      lines.join('\n'),
    )
    return EXIT.ok
  })
}
