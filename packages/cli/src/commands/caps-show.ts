import type { TestedCap } from '@vault/embedded'
import { EXIT } from '../exit-code.ts'
import { grantWords, heldLines } from '../grant-text.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import { type PrincipalNames, principalNames } from '../principal-names.ts'
import { publishedLines } from '../published-lines.ts'
import type { CapsProgram } from './caps.ts'

export function addCapsShow({ caps, action }: CapsProgram): void {
  const command = caps.command('show <dir>').description('list what everybody holds by certificates of the vault')
  addReadOptions(command).addHelpText('after', '\nExample:\n  vaultctl caps show ~/vault --json')
  action<[string, ReadOptions]>(command, async ({ output, signal }, dir, options) => {
    const { listAuthority, revocationStanding, testedCaps, unreadableCaps } = await import('@vault/embedded')
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const held = listAuthority(await vault.caps.view({ signal })).filter(({ chain }) => chain.length > 0)
    const unreadable = await unreadableCaps(vault.caps, { signal })
    const warned = unreadable.map(
      ({ entry, refuses }) =>
        `${entry} cannot be read${refuses ? ', so no certificate counts' : ''}: see "vaultctl doctor ${dir}"`,
    )
    const shown = { name: await principalNames(options, vault), words: await grantWords(vault.id) }
    const tested = await testedCaps(vault.caps, { signal })
    const published = await revocationStanding(vault.caps, { signal })
    const said = held.length === 0 ? ['Nobody holds anything by certificates now.'] : heldLines(held, shown)
    const tests = testLines(tested, shown.name)
    await output.result(
      { ok: true, held, tested, unreadable, ...(published && { published }) },
      [...warned, ...publishedLines(published), ...said, ...tests].join('\n'),
    )
    return EXIT.ok
  })
}

const WORDS: Readonly<Record<TestedCap['tests'][number]['kind'], string>> = {
  revocations: 'a set of revocations',
  validation: 'a validation',
  once: 'a validation of each request',
}

/** Certificates that hold only with something that is said anew again and again. */
function testLines(tested: readonly TestedCap[], called: PrincipalNames): readonly string[] {
  return tested.flatMap(({ certificate, subject, tests }) => [
    `${certificate}  to ${called(subject)}  holds only with`,
    ...tests.map(
      ({ kind, by, holds, note }) => `    ${holds ? '✓' : '✗'} ${WORDS[kind]} by ${called(by)}: ${called(note)}`,
    ),
  ])
}
