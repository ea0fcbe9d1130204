import { askedAction, keysOf, pathOf } from '../caps-options.ts'
import { EXIT } from '../exit-code.ts'
import { addReadOptions, openVaultAt, type ReadOptions } from '../open-vault.ts'
import type { CapsProgram } from './caps.ts'

interface Options extends ReadOptions {
  readonly for: string
  readonly do: string
  readonly on?: string
}

export function addCapsExplain({ caps, action }: CapsProgram): void {
  const command = caps
    .command('explain <dir>')
    .description('say whether somebody may do something, and why: every certificate of the chain, and where it stops')
    .requiredOption('--for <key>', 'a key, or its name in your keystore; several that act together with commas')
    .requiredOption('--do <action>', 'as read, write, migrate')
    .option('--on <path>', 'a folder or name in the vault; default: all of it')
  addReadOptions(command).addHelpText(
    'after',
    '\nMarks: ✓ holds, ✗ does not, – was not checked. Exit code 1 where it is not granted.\n\nExample:\n  vaultctl caps explain ~/vault --for carol --do migrate',
  )
  action<[string, Options]>(command, async ({ output, signal }, dir, options) => {
    const { explain, isUnsaid, nameFromPath, publishAdvice } = await import('@vault/embedded')
    const asked = askedAction(output, options.do)
    const keys = await keysOf(options.for, options)
    const path = options.on === undefined ? undefined : pathOf('--on', nameFromPath(options.on))
    await using vault = await openVaultAt(dir, { ...options, output }, { mode: 'read', signal })
    const { verdict } = await vault.caps.ask(keys, { action: asked, ...(path !== undefined && { path }) }, { signal })
    const { ok, trace } = verdict
    const code = verdict.ok ? null : verdict.code
    const advice = isUnsaid(verdict) ? await publishAdvice(vault.caps, { signal }) : undefined
    await output.result(
      { ok, code, ...(advice !== undefined && { advice }), trace },
      [
        ...explain(verdict),
        ...(advice === undefined ? [] : [`Let the operators of the vault say anew what they revoked: ${advice}`]),
      ].join('\n'),
    )
    return ok ? EXIT.ok : EXIT.refused
  })
}
