import { EXIT } from '../exit-code.ts'
import { grantWords, heldLines } from '../grant-text.ts'
import { counted } from '../human.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { principalNames } from '../principal-names.ts'
import type { CapsProgram } from './caps.ts'

export function addCapsDiff({ caps, action }: CapsProgram): void {
  const command = caps
    .command('diff <dir> <other-dir>')
    .description('compare who may do what in two places of a vault: what was kept, gained and lost in the second')
  addReadOptions(command).addHelpText(
    'after',
    '\nExit code 1 where anything was gained or lost, or could not be compared. What a place may do by its own root certificate is left out: no other has it.\n\nExample:\n  vaultctl caps diff ~/vault /mnt/copy/vault',
  )
  action<[string, string, ReadOptions]>(command, async ({ output, signal }, dir, other, options) => {
    const { diffAuthority } = await import('@vault/embedded')
    await using before = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    await using after = await openVaultAt(other, { ...options, output }, { mode: 'read', signal })
    const diff = diffAuthority(await before.caps.view({ signal }), await after.caps.view({ signal }))
    const { kept, gained, lost, unlisted } = diff
    const ok = gained.length === 0 && lost.length === 0 && unlisted.length === 0
    const shown = { name: await principalNames(options, before), words: await grantWords(before.id) }
    const marked = (mark: string, held: typeof kept) =>
      heldLines(held, shown).map((line) => `${line.startsWith('   ') ? ' ' : mark}${line}`)
    const lines = [
      ...(before.id === after.id
        ? []
        : [`These are two vaults, ${before.id} and ${after.id}: they have nothing in common.`]),
      ...marked('+', gained),
      ...marked('-', lost),
      ...(unlisted.length === 0
        ? []
        : [
            'Not compared is what these granted on, because it goes more ways than are looked at:',
            ...heldLines(unlisted, shown),
          ]),
      `${ok ? 'The same' : 'NOT the same'}: ${counted(kept.length, 'grant')} kept, ${gained.length} gained, ${lost.length} lost.`,
    ]
    await output.result({ ok, kept, gained, lost, unlisted }, lines.join('\n'))
    return ok ? EXIT.ok : EXIT.refused
  })
}
