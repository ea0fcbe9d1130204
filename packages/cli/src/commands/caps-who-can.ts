import { askedAction, pathOf } from '../caps-options.ts'
import { EXIT } from '../exit-code.ts'
import { grantWords, heldLines } from '../grant-text.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { principalNames } from '../principal-names.ts'
import { publishedLines } from '../published-lines.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends ReadOptions {
  readonly do: string
  readonly on?: string
}

export function addCapsWhoCan({ caps, action }: CapsProgram): void {
  const command = caps
    .command('who-can <dir>')
    .description('list everybody who may do something with a vault, or with a part of it, and by which certificates')
    .requiredOption('--do <action>', 'as read, write, migrate')
    .option('--on <path>', 'a folder or name in the vault; default: all of it')
  addReadOptions(command).addHelpText(
    'after',
    '\nExamples:\n  vaultctl caps who-can ~/vault --do migrate\n  vaultctl caps who-can ~/vault --do write --on photos/2026',
  )
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { nameFromPath, revocationStanding } = await import('@vault/embedded')
    const verb = askedAction(output, options.do)
    const { on } = options
    const path = on === undefined ? [] : pathOf('--on', nameFromPath(on))
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const held = await vault.caps.whoCan({ action: verb, path }, { signal })
    const shown = { name: await principalNames(options, vault), words: await grantWords(vault.id) }
    const alone = held.filter(({ shares }) => shares.length === 0)
    // Shares that are enough together stand above, as what they are together.
    const whole = new Set(alone.map(({ subject }) => subject))
    const together = held.filter(({ subject, shares }) => shares.length > 0 && !whole.has(subject))
    const published = await revocationStanding(vault.caps, { signal })
    const where = path.length === 0 ? 'with all of the vault' : `with ${JSON.stringify(path.join('/'))}`
    await output.result(
      { ok: true, action: verb, path: path.join('/'), held, ...(published && { published }) },
      [
        ...publishedLines(published),
        alone.length === 0 ? `Nobody may do ${verb} ${where}.` : `These may do ${verb} ${where}:`,
        ...heldLines(alone, shown),
        ...(together.length === 0 ? [] : ['Only together with others:', ...heldLines(together, shown)]),
      ].join('\n'),
    )
    return EXIT.ok
  })
}
