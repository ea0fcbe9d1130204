import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from '../workspace.ts'

export type Program = 'vaultctl' | 'vault-migrate'

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a built program with `--json`, under `strace` with these options where they are given. Its marks are kept in `cwd`. */
export function runProgram(
  cwd: string,
  program: Program,
  args: readonly string[],
  strace?: readonly string[],
): Promise<Ended> {
  const run = [process.execPath, join(ROOT, 'packages/cli/bin', `${program}.mjs`), ...args, '--json']
  const [command, ...rest] = (
    strace === undefined ? run : ['strace', '-f', '-qq', '--seccomp-bpf', ...strace, ...run]
  ) as [string, ...string[]]
  // One thread for files, so that calls are counted alike in every run.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1', VAULT_STATE_DIR: join(cwd, 'state'), NO_COLOR: '1' }
  return new Promise((resolve) => {
    execFile(command, rest, { cwd, env, encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.signal ?? error.code ?? null), stdout, stderr })
    })
  })
}
