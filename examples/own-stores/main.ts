/** Starts the service, kills it as soon as notes have arrived, and starts it again: it goes on, and ends with all of them, proved. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const folder = await mkdtemp(join(tmpdir(), 'own-stores-'))
try {
  const killed = await runService('arrived')
  console.log(`The service was ended by ${killed.signal ?? 'nobody'}. Started again:`)
  const { said } = await runService()
  const left = killed.said?.event === 'arrived' ? killed.said.total - killed.said.done : 0
  if (said?.event !== 'moved' || !said.ok || said.sent > left || said.is !== 'replica')
    throw new Error('This should hold and does not: what had arrived was not sent again, and everything is proved.')
} finally {
  await rm(folder, { recursive: true })
}

/** What the service says. */
type Line =
  | { readonly event: 'arrived'; readonly done: number; readonly total: number }
  | { readonly event: 'moved'; readonly sent: number; readonly ok: boolean; readonly is: string }

interface Ended {
  readonly signal: string | null
  /** The last thing that it said. */
  readonly said?: Line
}

/** Runs the service, to its end or until it says this. */
async function runService(killAt?: Line['event']): Promise<Ended> {
  const script = join(import.meta.dirname, 'service.ts')
  const service = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(service, 'close')
  let said: Line | undefined
  for await (const line of createInterface(service.stdout)) {
    console.log(line)
    said = JSON.parse(line) as Line
    if (said.event === killAt) service.kill('SIGKILL')
  }
  const [code, signal] = await closed
  if (code !== 0 && signal !== 'SIGKILL') throw new Error(`The service ended with ${code ?? signal}.`)
  return { signal, ...(said && { said }) }
}
