import { type CompletedCommand, flagsTaking } from './command-tree.ts'

/** The completion of a program for zsh, with descriptions; to be sourced after `compinit`, or put into a folder of `fpath`. */
export function zshCompletion(program: string, tree: readonly CompletedCommand[]): string {
  const name = `_${program.replaceAll('-', '_')}`
  return `#compdef ${program}
# zsh completion of ${program}
${name}_of() {
  case "$1" in
${tree.map(caseOf).join('\n')}
  esac
}

${name}() {
  local -a commands names flags folders files values arguments
  local rest='' command='' kind='' word='' position=0 i
  ${name}_of ''
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    if [[ -n $kind ]]; then kind=''
    elif (( \${folders[(Ie)$word]} )); then kind=folder
    elif (( \${files[(Ie)$word]} )); then kind=file
    elif (( \${values[(Ie)$word]} )); then kind=value
    elif [[ $word == -* ]]; then :
    elif (( position == 0 && \${names[(Ie)$word]} )); then
      command="\${command:+$command }$word"
      ${name}_of "$command"
    else position=$((position + 1))
    fi
  done
  if [[ -z $kind ]]; then
    if [[ "\${words[CURRENT]}" == -* ]]; then kind=flag
    elif (( $#commands && position == 0 )); then kind=command
    else kind="\${arguments[position + 1]:-$rest}"
    fi
  fi
  case "$kind" in
    flag) _describe -o option flags ;;
    command) _describe command commands ;;
    folder) _files -/ ;;
    file) _files ;;
  esac
}

if [[ "\${funcstack[1]}" == ${name} ]]; then ${name} "$@"; else compdef ${name} ${program}; fi
`
}

function caseOf(command: CompletedCommand): string {
  const { path, commands, options } = command
  const described = (word: string, description: string) => quoted(`${word}:${description}`)
  const set = {
    commands: commands.map(({ name, description }) => described(name, description)),
    names: commands.map(({ name }) => quoted(name)),
    flags: options.flatMap(({ flags, description }) => flags.map((flag) => described(flag, description))),
    folders: flagsTaking(command, 'folder'),
    files: flagsTaking(command, 'file'),
    values: flagsTaking(command, 'value'),
    arguments: command.arguments,
  }
  const lines = Object.entries(set).map(([variable, words]) => `      ${variable}=(${words.join(' ')})`)
  return `    '${path.join(' ')}')\n${lines.join('\n')}\n      rest='${command.rest ?? ''}'\n      ;;`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
