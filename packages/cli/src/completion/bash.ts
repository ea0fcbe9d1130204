import { type CompletedCommand, flagsTaking } from './command-tree.ts'

/**
 * The completion of a program for bash 3.2 and newer. Everything it offers is in the script, or comes from the shell's
 * own listing of files: nothing is evaluated that was typed or that lies on a disk, and no program is started.
 */
export function bashCompletion(program: string, tree: readonly CompletedCommand[]): string {
  const name = `_${program.replaceAll('-', '_')}`
  return `# bash completion of ${program}
${name}_of() {
  case "$1" in
${tree.map(caseOf).join('\n')}
  esac
}

${name}() {
  local commands flags folders files values arguments rest
  local current="\${COMP_WORDS[COMP_CWORD]}" command='' kind='' word='' position=0 i line
  COMPREPLY=()
  ${name}_of ''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ -n $kind ]]; then kind=''
    elif [[ " $folders " == *" $word "* ]]; then kind=folder
    elif [[ " $files " == *" $word "* ]]; then kind=file
    elif [[ " $values " == *" $word "* ]]; then kind=value
    elif [[ $word == -* ]]; then :
    elif [[ $position == 0 && " $commands " == *" $word "* ]]; then
      command="\${command:+$command }$word"
      ${name}_of "$command"
    else position=$((position + 1))
    fi
  done
  if [[ -z $kind ]]; then
    if [[ $current == -* ]]; then kind=flag
    elif [[ -n $commands && $position == 0 ]]; then kind=command
    else
      set -- $arguments
      if ((position < $#)); then shift "$position"; kind=$1; else kind=$rest; fi
    fi
  fi
  case "$kind" in
    flag) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    command) COMPREPLY=($(compgen -W "$commands" -- "$current")) ;;
    folder | file)
      compopt -o filenames 2>/dev/null
      if [[ $kind == folder ]]; then kind=-d; else kind=-f; fi
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$kind" -- "$current")
      ;;
  esac
}

complete -F ${name} ${program}
`
}

function caseOf(command: CompletedCommand): string {
  const { path, commands, options } = command
  const set = {
    commands: commands.map(({ name }) => name),
    flags: options.flatMap(({ flags }) => flags),
    folders: flagsTaking(command, 'folder'),
    files: flagsTaking(command, 'file'),
    values: flagsTaking(command, 'value'),
    arguments: command.arguments,
    rest: command.rest === undefined ? [] : [command.rest],
  }
  const lines = Object.entries(set).map(([variable, words]) => `      ${variable}='${words.join(' ')}'`)
  return `    '${path.join(' ')}')\n${lines.join('\n')}\n      ;;`
}
