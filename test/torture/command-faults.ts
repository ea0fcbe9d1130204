import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type CallPoint, callPoints, spread } from './call-points.ts'
import { type Campaign, type Outcome, type Setting, tryEach } from './campaign.ts'
import { type CommandWorkload, codeOf, copyGround, type Ground, layGround, said } from './command-workloads.ts'
import { runProgram } from './run-program.ts'

/** What changes a disk, or is seen by who waits for an answer. */
const CALLS = ['fsync', 'fdatasync', 'rename', 'link', 'unlink', 'pwrite64', 'ftruncate', 'mkdir', 'openat', 'write']
/** What the system says of a call that fails. A disk that is full is found by what makes or grows a file. */
const ERRORS: Readonly<Record<string, string>> = { pwrite64: 'ENOSPC', openat: 'ENOSPC', mkdir: 'ENOSPC' }
/** Machines have more than one processor, and a process mostly waits for its disk. */
const AT_ONCE = 3

/** Real commands, killed at their calls to the system. */
export const killPoints: Campaign = {
  name: 'kill-points',
  small: 20,
  full: 1_000,
  run: (setting) =>
    strikeCommands(
      setting,
      ({ call, nth }) => `inject=${call}:signal=SIGKILL:when=${nth}`,
      () => true,
    ),
}

/** Real commands whose nth call of a kind fails. */
export const failedCalls: Campaign = {
  name: 'failed-calls',
  small: 12,
  full: 500,
  run: (setting) =>
    strikeCommands(
      setting,
      ({ call, nth }) => `inject=${call}:error=${ERRORS[call] ?? 'EIO'}:when=${nth}`,
      // What is written with it is the answer: a reader who does not take it knows that.
      ({ call }) => call !== 'write',
    ),
}

interface Strike extends CallPoint {
  readonly workload: CommandWorkload
}

async function strikeCommands(
  setting: Setting,
  injection: (point: CallPoint) => string,
  isWanted: (point: CallPoint) => boolean,
): Promise<Outcome> {
  const ground = await layGround(setting)
  const tried: Strike[] = []
  let all = 0
  for (const [i, workload] of ground.workloads.entries()) {
    const found = (await pointsOfCommand(ground, workload, setting.folder)).filter(isWanted)
    // A move has most of all points, and each takes four programs to settle: it gets what the others leave, or a tenth.
    const isLast = i === ground.workloads.length - 1
    const share = isLast ? Math.max(setting.points - tried.length, 1) : Math.ceil(0.3 * setting.points)
    tried.push(...spread(found, share).map((point) => ({ ...point, workload })))
    all += found.length
  }
  const counts = { struck: 0, acknowledged: 0 }
  let longest = 0
  const wrong = await tryEach(
    tried,
    AT_ONCE,
    async (strike) => {
      const { workload, call, nth } = strike
      const dir = join(setting.folder, `${workload.name}-${call}-${nth}`)
      await mkdir(dir)
      await copyGround(ground, dir)
      const options = ['-o', '/dev/null', '-e', injection(strike)]
      const ended = await runProgram(dir, workload.program, workload.args, options)
      if (ended.code !== 0) counts.struck++
      const acknowledged = ended.code === 0 || ended.stdout.includes('"ok":true')
      if (acknowledged) counts.acknowledged++
      longest = Math.max(longest, await workload.settle(dir, acknowledged))
      await rm(dir, { recursive: true })
      const isNamed = acknowledged || ended.code === 'SIGKILL' || codeOf(ended) !== undefined
      return isNamed ? [] : [`gave no code, ${said(ended)}`]
    },
    ({ workload, call, nth }) => `${workload.name} at ${call} ${nth}`,
  )
  const note = `of ${all}; ${counts.struck} stopped, ${counts.acknowledged} acknowledged; longest opening ${Math.ceil(longest)} ms`
  return { points: tried.length, wrong, note }
}

async function pointsOfCommand(
  ground: Ground,
  workload: CommandWorkload,
  folder: string,
): Promise<readonly CallPoint[]> {
  const dir = join(folder, `${workload.name}-whole`)
  await mkdir(dir)
  await copyGround(ground, dir)
  const trace = join(dir, 'trace')
  const ended = await runProgram(dir, workload.program, workload.args, ['-o', trace, '-e', `trace=${CALLS.join()}`])
  if (ended.code !== 0) throw new Error(`${workload.name} ${said(ended)}`)
  // Of a program's many other openings and writes none changes a vault.
  return callPoints(await readFile(trace, 'utf8'), (line) => {
    if (line.includes(' openat(')) return line.includes('O_CREAT')
    return !line.includes(' write(') || line.includes(' write(1, ')
  })
}
