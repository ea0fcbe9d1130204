import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createVault, openVault } from '@vault/embedded'
import type { Campaign, Setting } from './campaign.ts'
import { expectSound } from './command-workloads.ts'
import { NOTHING, RaceModel } from './race-model.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

const PROCESSES = 8
const PROGRAM = join(import.meta.dirname, 'race-process.ts')

/**
 * Eight processes change one vault, names of their own and names that all of them write, and are killed at random: what any
 * of them acknowledged is there, nobody's change is lost under another's, and the rest is there whole or not.
 */
export const processRaces: Campaign = {
  name: 'processes',
  small: 160,
  full: 8_000,
  run: async (setting) => {
    const dir = join(setting.folder, 'vault')
    await createVault(dir, { passphrase: undefined })
    const model = new RaceModel()
    const counts = { begun: 0, acknowledged: 0, refused: new Map<string, number>(), killed: 0 }
    const numbers = seededNumbers(setting.seed)
    await Promise.all(
      Array.from({ length: PROCESSES }, (_, worker) => race(setting, dir, { worker, model, counts, numbers })),
    )
    await compare(dir, model)
    const { acknowledged, refused, killed } = counts
    const refusals = [...refused].map(([code, times]) => `${times} ${code}`).join(', ')
    return {
      points: counts.begun,
      wrong: model.wrong,
      note: `${acknowledged} acknowledged, refused: ${refusals || 'none'}; ${killed} processes killed`,
    }
  },
}

interface Race {
  readonly worker: number
  readonly model: RaceModel
  readonly counts: { begun: number; acknowledged: number; readonly refused: Map<string, number>; killed: number }
  readonly numbers: SeededNumbers
}

/** Runs one process after the other in a place of eight, until its share of operations has begun. */
async function race({ seed, points }: Setting, dir: string, parts: Race): Promise<void> {
  const { worker, counts, model, numbers } = parts
  let left = Math.ceil(points / PROCESSES)
  for (let life = 0; left > 0; life++) {
    const child = spawn(process.execPath, [PROGRAM, dir, String(worker), String(seed + life), String(left)])
    // Every other one lives to its end.
    const lifetime = life % 2 === 0 ? 1 + numbers.below(40) : Number.POSITIVE_INFINITY
    const { begun, complaint } = await follow(child, parts, lifetime)
    left -= begun
    if (child.signalCode === 'SIGKILL') counts.killed++
    else if (child.exitCode !== 0 || begun === 0) {
      model.wrong.push(`process ${worker}, life ${life}, ended with ${child.exitCode}: ${complaint.slice(0, 500)}`)
      return
    }
  }
}

/** Takes down what a process says, and kills it soon after it began so many operations. */
async function follow(
  child: ChildProcess,
  { model, counts, numbers }: Race,
  lifetime: number,
): Promise<{ readonly begun: number; readonly complaint: string }> {
  const closed = new Promise((resolve) => child.once('close', resolve))
  let complaint = ''
  let begun = 0
  child.stderr?.on('data', (part: Buffer) => {
    complaint += part
  })
  if (child.stdout === null) throw new Error('The process has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, name = '', content = '', last = ''] = line.split(' ')
    if (what === 'begin') {
      begun++
      model.begin(name, content)
      if (begun === lifetime) setTimeout(() => child.kill('SIGKILL'), numbers.below(30))
    } else if (what === 'done') {
      counts.acknowledged++
      model.done(name, content, Number(last))
    } else if (what === 'refused') {
      counts.refused.set(last, (counts.refused.get(last) ?? 0) + 1)
      model.refused(name, content)
    } else if (what === 'read') {
      begun++
      model.read(name, content)
    }
  }
  counts.begun += begun
  await closed
  return { begun, complaint }
}

async function compare(dir: string, model: RaceModel): Promise<void> {
  await using vault = await openVault(dir)
  for (const name of model.names()) {
    const file = await vault.file(name)
    const found = file && Buffer.concat(await Array.fromAsync(vault.read(file.object))).toString()
    model.end(name, found ?? NOTHING)
  }
  await expectSound(vault).catch((error: unknown) => model.wrong.push(String(error)))
}
