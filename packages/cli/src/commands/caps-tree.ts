import { dotOf, mermaidOf } from '../caps-tree-graph.ts'
import { treeLines } from '../caps-tree-text.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import { grantWords } from '../grant-text.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { principalNames } from '../principal-names.ts'
import { publishedLines } from '../published-lines.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends ReadOptions {
  readonly dot?: boolean
  readonly mermaid?: boolean
  readonly ids?: boolean
}

export function addCapsTree({ caps, action }: CapsProgram): void {
  const command = caps
    .command('tree <dir>')
    .description('draw who granted what to whom, from the operators of the vault on, also what does not count and why')
    .option('--ids', 'whole ids of the certificates instead of their last eight characters')
    .option('--dot', 'as a picture for Graphviz')
    .option('--mermaid', 'as a picture for Mermaid')
  addReadOptions(command).addHelpText(
    'after',
    '\nExamples:\n  vaultctl caps tree ~/vault\n  vaultctl caps tree ~/vault --dot | dot -Tsvg > authority.svg',
  )
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { dot = false, mermaid = false, ids = false } = options
    if (dot && mermaid) throw new UsageError('--dot and --mermaid exclude each other.')
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const trees = await vault.caps.trees({ signal })
    const shown = { name: await principalNames(options, vault), words: await grantWords(vault.id) }
    if (dot || mermaid) {
      const picture = dot ? dotOf(trees, shown) : mermaidOf(trees, shown)
      await output.result({ ok: true, [dot ? 'dot' : 'mermaid']: picture }, picture)
      return EXIT.ok
    }
    const { revocationStanding } = await import('@vault/embedded')
    const published = await revocationStanding(vault.caps, { signal })
    const lines = [...publishedLines(published), ...treeLines(trees, shown, { ids })]
    await output.result({ ok: true, ...trees, ...(published && { published }) }, lines.join('\n'))
    return EXIT.ok
  })
}
