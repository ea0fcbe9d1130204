import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'

/** What one run of a command cost. */
export interface Cost {
  readonly seconds: number
  /** User and system time of the command and its children. */
  readonly cpuSeconds: number
  /** Highest resident size seen of all its processes together, in mebibytes; sampled every 20 ms. */
  readonly peakMiB: number
  readonly stdout: string
}

/** Runs a shell command and measures it. Throws if it fails. */
export async function measure(
  command: string,
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Cost> {
  const started = performance.now()
  // The shell's own `time` counts the processor time of everything it has waited for.
  const child = spawn('bash', ['-c', `TIMEFORMAT='cpu %U %S'; time { ${command}\n}`], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  let peak = 0
  const sampler = setInterval(() => {
    void residentMiB(child.pid as number).then((now) => {
      peak = Math.max(peak, now)
    })
  }, 20)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve)
    child.once('error', reject)
  })
  clearInterval(sampler)
  const seconds = (performance.now() - started) / 1000
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${stderr}`)
  const [, user, system] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? []
  return { seconds, cpuSeconds: Number(user) + Number(system), peakMiB: peak, stdout }
}

/** The run with the median time of `runs`; `prepare` is not measured. */
export async function median(runs: number, prepare: () => Promise<void>, run: () => Promise<Cost>): Promise<Cost> {
  const costs: Cost[] = []
  for (let i = 0; i < runs; i++) {
    await prepare()
    costs.push(await run())
  }
  costs.sort((a, b) => a.seconds - b.seconds)
  return costs[Math.floor(costs.length / 2)] as Cost
}

async function residentMiB(root: number): Promise<number> {
  const parents = new Map<number, { parent: number; kib: number }>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '')
    const parent = /^PPid:\s+(\d+)/m.exec(status)?.[1]
    const kib = /^VmRSS:\s+(\d+)/m.exec(status)?.[1]
    if (parent !== undefined && kib !== undefined)
      parents.set(Number(name), { parent: Number(parent), kib: Number(kib) })
  }
  let sum = 0
  for (const [pid, { kib }] of parents) {
    for (let at: number | undefined = pid; at !== undefined; at = parents.get(at)?.parent) {
      if (at === root) {
        sum += kib
        break
      }
    }
  }
  return sum / 1024
}
