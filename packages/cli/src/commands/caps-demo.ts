import { EXIT, UsageError } from '../exit-code.ts'
import type { CapsProgram } from './caps.ts'

export function addCapsDemo({ caps, action }: CapsProgram): void {
  const command = caps
    .command('demo [code]')
    .description('show what a refusal looks like: for each of its codes a small chain that is refused with it, and why')
    .addHelpText(
      'after',
      '\nWithout a code it lists them. "granted" shows those that are granted. The keys are made up, and no vault is touched.\n\nExamples:\n  vaultctl caps demo\n  vaultctl caps demo CAPS_REVOKED',
    )
  action<[string | undefined]>(command, async ({ output }, code) => {
    const { explain } = await import('@vault/spki-caps')
    const { demoChains, judgeDemo } = await import('@vault/spki-caps/demo')
    const chains = await demoChains()
    if (code === undefined) {
      const list = chains.map((chain) => ({ code: chain.code ?? 'granted', name: chain.name }))
      const width = Math.max(...list.map((chain) => chain.code.length))
      const lines = list.map((chain) => `${chain.code.padEnd(width)}  ${chain.name}`)
      await output.result({ ok: true, chains: list }, lines.join('\n'))
      return EXIT.ok
    }
    const wanted = code
      .toUpperCase()
      .replaceAll('-', '_')
      .replace(/^(?!CAPS_)/, 'CAPS_')
    const chosen = chains.filter((chain) => (chain.code ?? 'CAPS_GRANTED') === wanted)
    if (chosen.length === 0)
      throw new UsageError(`There is no demo chain for ${JSON.stringify(code)}: "vaultctl caps demo" lists them.`)
    const shown = await Promise.all(
      chosen.map(async ({ name, ...chain }) => ({ name, verdict: await judgeDemo({ name, ...chain }) })),
    )
    await output.result(
      {
        ok: true,
        chains: shown.map(({ name, verdict: { trace, ...verdict } }) => ({
          code: verdict.ok ? 'granted' : verdict.code,
          name,
          trace,
        })),
      },
      shown
        .map(({ name, verdict }) => [`${name}:`, ...explain(verdict).map((line) => `  ${line}`)].join('\n'))
        .join('\n\n'),
    )
    return EXIT.ok
  })
}
