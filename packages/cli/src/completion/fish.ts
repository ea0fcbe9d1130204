import type { CompletedCommand, CompletedOption, WordKind } from './command-tree.ts'

/** The completion of a program for fish, with descriptions. */
export function fishCompletion(program: string, tree: readonly CompletedCommand[]): string {
  const name = `__${program.replaceAll('-', '_')}`
  const paths = tree.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')))
  return `# fish completion of ${program}
# Whether the words so far are the command $argv[1], with the number of arguments $argv[2], or at least with it for $argv[3].
function ${name}_at
    set -l path
    set -l position 0
    set -l words (commandline -opc)
    for word in $words[2..-1]
        string match -q -- '-*' $word; and continue
        if test $position -eq 0; and contains -- (string join ' ' -- $path $word) ${paths.join(' ')}
            set -a path $word
        else
            set position (math $position + 1)
        end
    end
    test "$path" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    test $position -eq $argv[2]; and return 0
    set -q argv[3]; and test $position -gt $argv[2]
end

complete -c ${program} -e
complete -c ${program} -f
${tree.flatMap((command) => linesOf(program, name, command)).join('\n')}
`
}

function linesOf(program: string, name: string, command: CompletedCommand): readonly string[] {
  const { path, commands, options, rest } = command
  const at = (...position: readonly (number | string)[]) =>
    `complete -c ${program} -n ${quoted([`${name}_at`, `"${path.join(' ')}"`, ...position].join(' '))}`
  const kinds = command.arguments.map(
    (kind, i) => [kind, i + 1 === command.arguments.length && rest ? [i, 'on'] : [i]] as const,
  )
  return [
    ...commands.map((each) => `${at(0)} -a ${quoted(each.name)} -d ${quoted(each.description)}`),
    ...options.map((option) => `${at()} ${optionOf(option)}`),
    ...kinds.flatMap(([kind, position]) => (kind === 'value' ? [] : [`${at(...position)} ${offered(kind)}`])),
  ]
}

function optionOf({ flags, description, takes }: CompletedOption): string {
  const named = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  // Exclusive, so that fish does not add its files to what is offered.
  const taken =
    takes === undefined ? [] : takes === 'file' ? ['-r -F'] : ['-x', ...(takes === 'folder' ? [offered(takes)] : [])]
  return [...named, ...taken, '-d', quoted(description)].join(' ')
}

function offered(kind: WordKind): string {
  return kind === 'folder' ? `-a '(__fish_complete_directories)'` : '-F'
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
