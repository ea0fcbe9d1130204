import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Highest resident size in mebibytes, as far as it was sampled. */
  readonly peakMiB: number
}

/** A command that runs. */
export interface Started {
  readonly stderr: NodeJS.ReadableStream
  kill(signal: NodeJS.Signals): boolean
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Called once with the child, for instance to kill it. */
  readonly started?: (child: Started) => void
}

const BIN = join(import.meta.dirname, '../bin')

/** Marks of the vaults of these tests: nothing is left in, or taken from, the user's own state. */
const STATE = mkdtempSync(join(tmpdir(), 'vault-test-state-'))
process.on('exit', () => rmSync(STATE, { recursive: true, force: true }))

/** Runs a built program in a process of its own, with no terminal. */
export async function run(
  name: 'vaultctl' | 'vault-migrate',
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [join(BIN, `${name}.mjs`), ...args], {
    cwd: options.cwd,
    env: { ...process.env, VAULT_PASSPHRASE_FILE: undefined, NO_COLOR: '1', VAULT_STATE_DIR: STATE, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  options.started?.(child)
  let stdout = ''
  let stderr = ''
  let peakMiB = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const sampler = setInterval(() => {
    peakMiB = Math.max(peakMiB, peakOf(child.pid as number))
  }, 50)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  clearInterval(sampler)
  return { code, stdout, stderr, peakMiB }
}

/** Runs with `--json` and gives the one object on stdout. Fails unless the exit code is the expected one. */
export async function json<T = Record<string, unknown>>(
  name: 'vaultctl' | 'vault-migrate',
  args: readonly string[],
  expected = 0,
  options: RunOptions = {},
): Promise<T> {
  const ended = await run(name, [...args, '--json'], options)
  if (ended.code !== expected) {
    throw new Error(
      `${name} ${args.join(' ')} ended with ${ended.code}, not ${expected}:\n${ended.stdout}${ended.stderr}`,
    )
  }
  return JSON.parse(ended.stdout) as T
}

/** A folder of its own, taken away at the end of the scope. */
export async function scratch(): Promise<{ readonly dir: string; at(...parts: string[]): string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'vault-test-'))
  return {
    dir,
    at: (...parts) => join(dir, ...parts),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  }
}

function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
  } catch {
    // It has ended, or this system has no /proc: what was seen stands.
    return 0
  }
}
