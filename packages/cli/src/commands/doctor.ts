import { EXIT } from '../exit-code.ts'
import { addStateOption, requireGranted, type StateOptions, stateDirOf } from '../open-vault.ts'
import { printable } from '../printable.ts'
import type { Program } from '../program.ts'

export function addDoctor(program: Program): void {
  const command = program.command
    .command('doctor <dir>')
    .description('explain what is wrong with a vault, whether data is lost, and what to do')
  addStateOption(command).addHelpText(
    'after',
    '\nLooks at everything that opening a vault needs, also where it cannot be opened, and changes nothing. It reads no\ncontents: "vaultctl verify" does. Exit code 1 where anything is found.\n\nExample:\n  vaultctl doctor ~/vault',
  )
  program.action<[string, StateOptions]>(command, async ({ output, signal }, dir, options) => {
    await requireGranted(dir, 'read', { ...options, output })
    const { diagnose } = await import('@vault/embedded')
    const { ok, summary, checks } = await diagnose(dir, { signal, stateDir: stateDirOf(options, process.env) })
    const lines = [summary, '']
    for (const { name, ok: good, message, advice } of checks) {
      lines.push(`${good ? 'ok   ' : 'WRONG'}  ${name.padEnd(11)}  ${message}`)
      if (advice !== undefined) lines.push(`       ${''.padEnd(11)}  → ${advice}`)
    }
    await output.result({ ok, summary, checks }, lines.map(printable).join('\n'))
    return ok ? EXIT.ok : EXIT.refused
  })
}
