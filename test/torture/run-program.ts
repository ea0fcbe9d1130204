import { type ChildProcess, execFile } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../workspace.ts'

export type Program = 'vaultctl' | 'vault-migrate'

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that runs. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Runs a built program with `--json`, under `strace` with these options where they are given. Its marks are kept in `cwd`. */
export function runProgram(
  cwd: string,
  program: Program,
  args: readonly string[],
  strace?: readonly string[],
): Promise<Ended> {
  const under = strace === undefined ? [] : ['strace', '-f', '-qq', '--seccomp-bpf', ...strace]
  return startProgram(cwd, program, [...args, '--json'], under).ended
}

/** Starts a built program; `under`: a command that starts it. Its marks are kept in `cwd`. */
export function startProgram(
  cwd: string,
  program: Program,
  args: readonly string[],
  under: readonly string[] = [],
): Running {
  const bin = join(ROOT, 'packages/cli/bin', `${program}.mjs`)
  const [command, ...rest] = [...under, process.execPath, bin, ...args] as [string, ...string[]]
  // One thread for files, so that calls are counted alike in every run.
  const env = { ...stateEnvironment(cwd), UV_THREADPOOL_SIZE: '1' }
  const { promise: ended, resolve } = Promise.withResolvers<Ended>()
  const child = execFile(command, rest, { cwd, env, encoding: 'utf8' }, (error, stdout, stderr) => {
    resolve({ code: error === null ? 0 : (error.signal ?? error.code ?? null), stdout, stderr })
  })
  return { child, ended }
}

/** The environment of a program that keeps its marks in this folder. */
export function stateEnvironment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, VAULT_STATE_DIR: join(folder, 'state'), NO_COLOR: '1' }
}
