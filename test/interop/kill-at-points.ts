import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { callPoints, spread } from '../torture/call-points.ts'
import { runProgram } from '../torture/run-program.ts'

/** A command of `vaultctl` that is killed, and what has to hold then. */
interface Killed {
  readonly command: readonly string[]
  /** Calls to the system at which it is killed. */
  readonly calls: readonly string[]
  /** How many of them, spread evenly over the whole run. */
  readonly points: number
  /** A folder in which the command can be begun. */
  begin(name: string): Promise<string>
  /** Looks at what is left of a run, in its folder. */
  left(dir: string, where: string): Promise<void>
}

/** Kills a command at points of its whole run, each in a folder of its own. How many points there are, and how many runs were killed. */
export async function killAtPoints({
  command,
  calls,
  points,
  begin,
  left,
}: Killed): Promise<{ all: number; killed: number }> {
  const whole = await begin('whole')
  const trace = join(whole, 'trace')
  await runProgram(whole, 'vaultctl', command, ['-o', trace, '-e', `trace=${calls.join()}`])
  const all = callPoints(await readFile(trace, 'utf8'))
  let killed = 0
  for (const { call, nth } of spread(all, points)) {
    const dir = await begin(`${call}-${nth}`)
    const inject = ['-o', '/dev/null', '-e', `inject=${call}:signal=SIGKILL:when=${nth}`]
    if ((await runProgram(dir, 'vaultctl', command, inject)).code === 'SIGKILL') killed++
    await left(dir, `${call} ${nth}`)
    await rm(dir, { recursive: true })
  }
  return { all: all.length, killed }
}
