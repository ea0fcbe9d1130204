import { bashCompletion } from '../completion/bash.ts'
import { commandTree } from '../completion/command-tree.ts'
import { fishCompletion } from '../completion/fish.ts'
import { zshCompletion } from '../completion/zsh.ts'
import { EXIT, UsageError } from '../exit-code.ts'
import type { Program } from '../program.ts'

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }

/** To be added after all other commands, which it completes. */
export function addComplete(program: Program): void {
  const name = program.command.name()
  const command = program.command
    .command('complete <shell>')
    .description('print the completion of commands, options, files and folders for bash, zsh or fish')
    .addHelpText(
      'after',
      `\nExamples:\n  source <(${name} complete bash)          in ~/.bashrc\n  source <(${name} complete zsh)           in ~/.zshrc, after compinit\n  ${name} complete fish | source           in ~/.config/fish/config.fish`,
    )
  program.action<[string]>(command, async ({ output }, shell) => {
    if (!Object.hasOwn(SHELLS, shell))
      throw new UsageError(`There is a completion for bash, zsh and fish, not for ${JSON.stringify(shell)}.`)
    const script = SHELLS[shell as keyof typeof SHELLS](name, commandTree(program.command))
    await output.result({ ok: true, shell, script }, script.trimEnd())
    return EXIT.ok
  })
}
