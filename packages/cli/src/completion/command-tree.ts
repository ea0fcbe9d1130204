import type { Command, Option } from 'commander'

/** What a shell offers for a word. */
export type WordKind = 'folder' | 'file' | 'value'

/** An option as a shell sees it. */
export interface CompletedOption {
  /** `-o`, `--output`. */
  readonly flags: readonly string[]
  readonly description: string
  /** What follows it; nothing for a switch. */
  readonly takes?: WordKind
}

/** A command as a shell sees it. */
export interface CompletedCommand {
  /** Its words, without the program's: empty for the program itself. */
  readonly path: readonly string[]
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  readonly options: readonly CompletedOption[]
  /** What its arguments are, in order. */
  readonly arguments: readonly WordKind[]
  /** What further arguments are, where there may be any number. */
  readonly rest?: WordKind
}

/** All commands of a program, itself first. What an argument is, is read from the word in its place: `<dir>`, `<path>`, `<file>`. */
export function commandTree(command: Command, path: readonly string[] = []): readonly CompletedCommand[] {
  const help = command.createHelp()
  const below = help.visibleCommands(command).filter((each) => each.name() !== 'help')
  const words = command.registeredArguments
  const rest = words.find(({ variadic }) => variadic)
  const itself = {
    path,
    commands: below.map((each) => ({ name: each.name(), description: firstLine(each.description()) })),
    options: help.visibleOptions(command).map(completedOption),
    arguments: words.map((word) => kindOf(word.name())),
    ...(rest && { rest: kindOf(rest.name()) }),
  }
  return [itself, ...below.flatMap((each) => commandTree(each, [...path, each.name()]))]
}

function completedOption(option: Option): CompletedOption {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined)
  const placeholder = /[<[]([^>\].]+)/.exec(option.flags)?.[1]
  const takes = placeholder === undefined ? {} : { takes: kindOf(placeholder) }
  return { flags, description: firstLine(option.description), ...takes }
}

function kindOf(placeholder: string): WordKind {
  if (placeholder === 'dir' || placeholder === 'other-dir') return 'folder'
  return placeholder === 'path' || placeholder === 'file' ? 'file' : 'value'
}

function firstLine(text: string): string {
  return text.split('\n')[0] as string
}

/** All flags of a command whose next word is of this kind. */
export function flagsTaking({ options }: CompletedCommand, kind: WordKind): readonly string[] {
  return options.filter(({ takes }) => takes === kind).flatMap(({ flags }) => flags)
}
