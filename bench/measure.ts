import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'

/** What one run of a command cost. */
export interface Cost {
  readonly seconds: number
  /** User and system time of the command and its children. */
  readonly cpuSeconds: number
  /** Highest resident size seen of all its processes together, in mebibytes; sampled every 50 ms. */
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
  }, 50)
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

/** Of a process and all below it. Only their own files are read: asking for every process of the machine would cost it a core. */
async function residentMiB(pid: number): Promise<number> {
  const own = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  let sum = Number(/^VmRSS:\s+(\d+)/m.exec(own)?.[1] ?? 0) / 1024
  for (const child of await childrenOf(pid)) sum += await residentMiB(child)
  return sum
}

async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [])
  const lists = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => ''))
  return (await Promise.all(lists)).flatMap((list) => list.split(' ').filter(Boolean).map(Number))
}
