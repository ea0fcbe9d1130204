import type { StoreCheck } from '@vault/embedded'
import { EXIT } from '../exit-code.ts'
import { counted, humanCount } from '../human.ts'
import type { Program } from '../program.ts'

export function addCheckStore(program: Program): void {
  const command = program.command
    .command('check-store <dir>')
    .description('try out whether the disk of a folder keeps what the stores of a vault promise')
    .addHelpText(
      'after',
      '\nWorks in a new folder in DIR and takes it away again; no vault and no other file is touched. Exit code 1 where a\npromise is broken.\n\nExample:\n  vaultctl check-store /mnt/share',
    )
  program.action<[string]>(command, async ({ output, progress, signal }, dir) => {
    const { checkStore } = await import('@vault/embedded')
    const cases: Pick<StoreCheck, 'store' | 'name' | 'ok' | 'message'>[] = []
    for await (const { of, ...check } of checkStore(dir, { signal })) {
      cases.push(check)
      progress.show({ label: 'Checking', done: cases.length, total: of })
    }
    progress.clear()
    const failed = cases.filter(({ ok }) => !ok).length
    const lines = cases.map(
      ({ store, name, ok, message }) => `${ok ? 'ok    ' : 'FAILED'}  ${store}: ${name}${ok ? '' : `: ${message}`}`,
    )
    const summary =
      failed === 0
        ? `All ${humanCount(cases.length)} promises are kept.`
        : `BROKEN: ${humanCount(failed)} of ${counted(cases.length, 'promise')}.`
    await output.result({ ok: failed === 0, cases, count: cases.length, failed }, [...lines, summary].join('\n'))
    return failed === 0 ? EXIT.ok : EXIT.refused
  })
}
