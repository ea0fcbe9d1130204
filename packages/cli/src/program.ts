import { Command, CommanderError } from 'commander'
import { tellingAbsence } from './absence-lines.ts'
import { EXIT, EXIT_CODES_HELP, type ExitCode, exitCodeOf, Interruption, UsageError } from './exit-code.ts'
import { failureLines, failureResult, firstError } from './failure.ts'
import { Output, type Streams } from './output.ts'
import { OutputError } from './output-error.ts'
import { Progress } from './progress.ts'
import { packageVersion } from './version.ts'

/** What an action works with. */
export interface Run {
  readonly signal: AbortSignal
  readonly output: Output
  readonly progress: Progress
}

/** Does the work of a command and says how it ended. Its last argument are its options: those given, and how to tell of a server that goes away. */
export type Action<Arguments extends readonly unknown[]> = (run: Run, ...args: Arguments) => Promise<ExitCode>

interface CommonOptions {
  readonly json?: boolean
  readonly quiet?: boolean
}

/** A family of commands, run over one set of streams. */
export interface Program {
  readonly command: Command
  /** Gives a command its action, with the options that every command has. */
  action<Arguments extends readonly unknown[]>(command: Command, action: Action<Arguments>): void
  run(argv: readonly string[]): Promise<ExitCode>
}

/** Makes a program. It reads nothing global but the interrupt signal, and never ends the process itself on the first one. */
export function createProgram(name: string, description: string, streams: Streams): Program {
  const root = new Command(name).description(description).exitOverride().showHelpAfterError('(--help says more)')
  root.version(packageVersion(), '-V, --version', 'print the version')
  root.addHelpText('afterAll', EXIT_CODES_HELP)
  // Help and version: written when commander has ended, so that a failing stdout is met in one place.
  let said = ''
  root.configureOutput({
    writeOut: (text) => {
      said += text
    },
    writeErr: (text) => void streams.stderr.write(text),
  })
  // Each write to stdout reports its failure to whoever writes; what stderr does not take is lost. Without a listener
  // Node would end the process with a stack trace.
  for (const stream of [streams.stdout, streams.stderr]) stream.on('error', () => {})
  let outcome: ExitCode = EXIT.ok

  const start = (options: CommonOptions, work: (run: Run) => Promise<ExitCode>): Promise<ExitCode> => {
    const { json = false, quiet = false } = options
    const output = new Output(streams, { json, quiet })
    return guarded({ output, progress: new Progress(streams.stderr, { active: !quiet }) }, work)
  }

  const action = <Arguments extends readonly unknown[]>(command: Command, work: Action<Arguments>): void => {
    command
      .option('--json', 'print one JSON object on stdout')
      .option('-q, --quiet', 'print nothing but the result and warnings')
      .action(async (...given: unknown[]) => {
        // Commander adds the options and the command itself as the last arguments.
        const named = given.slice(0, -2)
        const options = command.opts<CommonOptions & { readonly events?: string }>()
        outcome = await start(options, (run) => {
          return work(run, ...([...named, tellingAbsence(run, options)] as unknown as Arguments))
        })
      })
  }

  const run = async (argv: readonly string[]): Promise<ExitCode> => {
    try {
      await root.parseAsync([...argv], { from: 'user' })
      return outcome
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error
      if (error.exitCode !== 0) {
        const output = new Output(streams, { json: argv.includes('--json'), quiet: false })
        await writeFailure(output, new UsageError(error.message))
        return EXIT.usage
      }
      return await start({}, async ({ output }) => {
        await output.raw(said)
        return EXIT.ok
      })
    }
  }
  return { command: root, action, run }
}

/** Runs an action so that Ctrl-C stops it cleanly and every failure is said in words and in the exit code. */
async function guarded(
  parts: { readonly output: Output; readonly progress: Progress },
  work: (run: Run) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { output, progress } = parts
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted)
    progress.clear()
    output.warn('Stopping. Press Ctrl-C again to stop at once.')
    controller.abort(new Interruption('Interrupted.'))
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  try {
    return await work({ output, progress, signal: controller.signal })
  } catch (caught) {
    const error = firstError(caught)
    progress.clear()
    for (const line of failureLines(error)) output.warn(line)
    await writeFailure(output, error)
    return exitCodeOf(error)
  } finally {
    progress.clear()
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/** With `--json`, makes the failure the result. Where stdout does not take even that, it is said, and the exit code stays. */
async function writeFailure(output: Output, error: unknown): Promise<void> {
  if (!output.json || error instanceof OutputError) return
  try {
    await output.result(failureResult(error))
  } catch (unwritten) {
    for (const line of failureLines(unwritten)) output.warn(line)
  }
}
