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
  /** What the same cost a process at the other end. */
  readonly server?: { readonly cpuSeconds: number; readonly peakMiB: number }
}

/** Runs a shell command and measures it, and the process `server` beside it. Throws if it fails. */
export async function measure(
  command: string,
  { server, ...options }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly server?: number } = {},
): Promise<Cost> {
  const served = server === undefined ? 0 : await cpuSecondsOf(server)
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
  let serverPeak = 0
  const sampler = setInterval(() => {
    if (server !== undefined) {
      void residentMiB(server).then((now) => {
        serverPeak = Math.max(serverPeak, now)
      })
    }
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
  const cost = { seconds, cpuSeconds: Number(user) + Number(system), peakMiB: peak, stdout }
  if (server === undefined) return cost
  return { ...cost, server: { cpuSeconds: (await cpuSecondsOf(server)) - served, peakMiB: serverPeak } }
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

/** User and system time that a process has taken so far. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [, user, system] = /^(?:\S+ ){11}(\d+) (\d+)/.exec(stat.slice(stat.lastIndexOf(')') + 2)) ?? []
  const TICKS = 100
  return (Number(user) + Number(system)) / TICKS
}
