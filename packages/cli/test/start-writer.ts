import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** How a writer ended. */
export interface Written {
  /** What was acknowledged: content ids by the keys of the changes. */
  readonly acknowledged: ReadonlyMap<string, string>
  readonly end: string
  readonly address: string
  readonly slowest: number
}

type Line = { readonly key: string; readonly id: string } | Omit<Written, 'acknowledged'>

/** A process that writes. */
export interface Writer extends Disposable {
  readonly ended: Promise<Written>
  /** Resolves when some of it was acknowledged. */
  writes(): Promise<void>
}

/** A process that writes a vault until it has moved. */
export function startWriter(dir: string, name: string): Writer {
  const script = join(import.meta.dirname, 'live-writer.ts')
  const child = spawn(process.execPath, [script, dir, name, '5'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged = new Map<string, string>()
  const ended = (async (): Promise<Written> => {
    let last: Omit<Written, 'acknowledged'> | undefined
    for await (const text of createInterface(child.stdout)) {
      const line = JSON.parse(text) as Line
      if ('end' in line) last = line
      else acknowledged.set(line.key, line.id)
    }
    if (last === undefined) throw new Error('the writer died')
    return { ...last, acknowledged }
  })()
  // Looked at when the move has ended.
  ended.catch(() => {})
  const writes = async () => {
    while (acknowledged.size < 5 && child.exitCode === null) await sleep(10)
  }
  return { ended, writes, [Symbol.dispose]: () => void child.kill() }
}
