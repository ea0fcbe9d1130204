import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { json, type scratch } from './harness.ts'

/** A server that runs in a process of its own. */
export interface Served {
  readonly url: string
  readonly key: string
  stop(signal: NodeJS.Signals): Promise<number | null>
}

/** Runs `vaultctl serve` until it says that it is ready. */
export async function serve(
  dir: string,
  options: readonly string[],
  { port = 0 }: { readonly port?: number } = {},
): Promise<Served> {
  const bin = join(import.meta.dirname, '../bin/vaultctl.mjs')
  const args = ['serve', dir, '--no-passphrase', ...options, '--port', String(port), '--json']
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve))
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(String(text)))
    child.once('close', () => reject(new Error(`It ended before it was ready: ${said}`)))
  })
  const { url, key } = JSON.parse(line) as { readonly url: string; readonly key: string }
  const stop = (signal: NodeJS.Signals) => {
    child.kill(signal)
    return ended
  }
  return { url, key, stop }
}

/** A vault `A` with so many files of the folder `tree`; gives the key of its place. */
export async function vaultIn(space: Awaited<ReturnType<typeof scratch>>, files: number): Promise<string> {
  await mkdir(space.at('tree'))
  for (let i = 0; i < files; i++) await writeFile(space.at('tree', `f${i}`), `content ${i} `.repeat(1_000))
  await json('vaultctl', ['init', space.at('A'), '--no-passphrase'])
  await json('vaultctl', ['put', space.at('A'), '.'], 0, { cwd: space.at('tree') })
  return (await json<{ key: string }>('vaultctl', ['status', space.at('A')])).key
}
