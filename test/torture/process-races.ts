import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createVault, openVault } from '@vault/embedded'
import type { Campaign, Setting } from './campaign.ts'
import { expectSound } from './command-workloads.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

const PROCESSES = 8
const PROGRAM = join(import.meta.dirname, 'race-process.ts')

/** What a name may stand for: its latest acknowledged content, and whatever was begun since; `-` where it may be absent. */
type Model = Map<string, Set<string>>

/** Eight processes change one vault and are killed at random: what any of them acknowledged is there, and the rest whole or not. */
export const processRaces: Campaign = {
  name: 'processes',
  small: 160,
  full: 8_000,
  run: async (setting) => {
    const dir = join(setting.folder, 'vault')
    await createVault(dir, { passphrase: undefined })
    const model: Model = new Map()
    const counts = { begun: 0, acknowledged: 0, refused: 0, killed: 0 }
    const wrong: string[] = []
    const numbers = seededNumbers(setting.seed)
    await Promise.all(
      Array.from({ length: PROCESSES }, (_, worker) => race(setting, dir, { worker, model, counts, wrong, numbers })),
    )
    wrong.push(...(await differences(dir, model)))
    const { acknowledged, refused, killed } = counts
    return {
      points: counts.begun,
      wrong,
      note: `${acknowledged} acknowledged, ${refused} refused, ${killed} processes killed`,
    }
  },
}

interface Race {
  readonly worker: number
  readonly model: Model
  readonly counts: { begun: number; acknowledged: number; refused: number; killed: number }
  readonly wrong: string[]
  readonly numbers: SeededNumbers
}

/** Runs one process after the other in a place of eight, until its share of operations has begun. */
async function race({ seed, points }: Setting, dir: string, parts: Race): Promise<void> {
  const { worker, counts, wrong, numbers } = parts
  let left = Math.ceil(points / PROCESSES)
  for (let life = 0; left > 0; life++) {
    const child = spawn(process.execPath, [PROGRAM, dir, String(worker), String(seed + life), String(left)])
    // Every other one lives to its end.
    const lifetime = life % 2 === 0 ? 1 + numbers.below(40) : Number.POSITIVE_INFINITY
    const { begun, complaint } = await follow(child, parts, lifetime)
    left -= begun
    if (child.signalCode === 'SIGKILL') counts.killed++
    else if (child.exitCode !== 0 || begun === 0) {
      wrong.push(`process ${worker}, life ${life}, ended with ${child.exitCode}: ${complaint.slice(0, 500)}`)
      return
    }
  }
}

/** Takes down what a process says, and kills it soon after it began so many operations. */
async function follow(
  child: ChildProcess,
  { model, counts, wrong, numbers }: Race,
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
    const [what, name = '', content = ''] = line.split(' ')
    const may = model.get(name) ?? new Set(['-'])
    if (what === 'begin') {
      begun++
      counts.begun++
      model.set(name, may.add(content))
      if (begun === lifetime) setTimeout(() => child.kill('SIGKILL'), numbers.below(30))
    } else if (what === 'done') {
      counts.acknowledged++
      model.set(name, new Set([content]))
    } else if (what === 'refused') counts.refused++
    else if (what === 'read') {
      begun++
      counts.begun++
      if (!may.has(content)) wrong.push(`${name} was read as ${content}, and may be ${[...may].join(' or ')}`)
    }
  }
  await closed
  return { begun, complaint }
}

async function differences(dir: string, model: Model): Promise<readonly string[]> {
  const wrong: string[] = []
  await using vault = await openVault(dir)
  for (const [name, may] of model) {
    const file = await vault.file(name)
    const found = file === undefined ? '-' : Buffer.concat(await Array.fromAsync(vault.read(file.object))).toString()
    if (!may.has(found)) wrong.push(`${name} is ${found}, and may be ${[...may].join(' or ')}`)
  }
  await expectSound(vault).catch((error: unknown) => wrong.push(String(error)))
  return wrong
}
