import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyId } from '@vault/core'
import { json, type scratch } from './harness.ts'

/** A server that runs in a process of its own. */
export interface Served {
  readonly url: string
  readonly key: KeyId
  readonly pid: number
  /** What it has said on stderr so far. */
  said(): string
  /** How it ended: its exit code, or `null` where a signal has ended it; `undefined` while it runs. */
  ended(): number | null | undefined
  stop(signal: NodeJS.Signals): Promise<number | null>
}

/** Ends a process when nobody holds the other end of its stdin any more: whoever started it has ended, in whatever way. */
const ENDS_WITH_PARENT = `data:text/javascript,${encodeURIComponent(
  "process.stdin.once('end', () => process.exit(1)).resume().unref()",
)}`

/** Runs `vaultctl serve` until it says that it is ready, and at the longest as long as this process; `under`: a command that starts it. */
export async function serve(
  dir: string,
  options: readonly string[],
  {
    port = 0,
    under = [],
    env,
  }: { readonly port?: number; readonly under?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Served> {
  const bin = join(import.meta.dirname, '../bin/vaultctl.mjs')
  const args = ['serve', dir, '--no-passphrase', ...options, '--port', String(port), '--json']
  const [command, ...rest] = [...under, process.execPath, '--import', ENDS_WITH_PARENT, bin, ...args] as [
    string,
    ...string[],
  ]
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'], ...(env && { env }) })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  let code: number | null | undefined
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (closed) => {
      code = closed
      resolve(closed)
    })
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(String(text)))
    child.once('close', () => reject(new Error(`It ended before it was ready: ${said}`)))
  })
  const { url, key } = JSON.parse(line) as { readonly url: string; readonly key: KeyId }
  const stop = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  return { url, key, pid: child.pid as number, said: () => said, ended: () => code, stop }
}

/** A vault `A` with so many files of the folder `tree`; gives the key of its place. */
export async function vaultIn(space: Awaited<ReturnType<typeof scratch>>, files: number): Promise<KeyId> {
  await mkdir(space.at('tree'))
  for (let i = 0; i < files; i++) await writeFile(space.at('tree', `f${i}`), `content ${i} `.repeat(1_000))
  await json('vaultctl', ['init', space.at('A'), '--no-passphrase'])
  await json('vaultctl', ['put', space.at('A'), '.'], 0, { cwd: space.at('tree') })
  return (await json<{ key: KeyId }>('vaultctl', ['status', space.at('A')])).key
}
