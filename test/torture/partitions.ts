import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { installPrograms } from '../debian-packages.ts'
import { type Campaign, tryEach } from './campaign.ts'
import { said } from './command-workloads.ts'
import { lastingServer } from './lasting-server.ts'
import { copyMoveGround, expectMoved, layMoveGround, type MoveGround } from './move-ground.ts'
import { CUTS, joinNetworks } from './namespaces.ts'
import { startProgram } from './run-program.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

// Most of the time nothing happens.
const AT_ONCE = 4
/** Milliseconds for which a client has patience. */
const PATIENCE = 12_000
/** When it gives up at the latest, behind the cut: also where it was sending, which the system takes for a while. */
const LATEST = PATIENCE + 1_000
/** What a machine that does other things adds to that. */
const BUSY = 1_500
/** The steps of a move, some time behind which the link is cut. */
const STEPS = ['', 'announce', 'copy', 'copy', 'copy', 'verify', 'account', 'move-trail', 'prepare', 'sign', 'activate']
/** So that a cut finds it under way. */
const RATE = '3M'

/** The network between client and server is cut in two in the middle of a move, and heals. */
export const partitions: Campaign = {
  name: 'partitions',
  small: 1,
  full: 50,
  run: async ({ seed, points, folder }) => {
    await installPrograms({ ip: 'iproute2' })
    const ground = await layMoveGround(join(folder, 'laid'), { seed, files: 40, longest: 200_000 })
    const told = { gaveUp: 0, wentOn: 0, late: 0 }
    const wrong = await tryEach(
      Array.from({ length: points }, (_, i) => i),
      AT_ONCE,
      async (i) => {
        const dir = join(folder, `point-${i}`)
        await copyMoveGround(ground, dir)
        const { gaveUp, late, cut } = await partition(dir, ground, i, seededNumbers(seed + i))
        await expectMoved(dir, ground)
        await rm(dir, { recursive: true })
        if (gaveUp) told.gaveUp++
        else told.wentOn++
        told.late = Math.max(told.late, late)
        return late <= LATEST + BUSY ? [] : [`the client gave up only ${Math.round(late)} ms behind the cut (${cut})`]
      },
      (i) => `point ${i}`,
    )
    const { gaveUp, wentOn, late } = told
    const note = `${wentOn} went on by themselves, ${gaveUp} gave up, at most ${Math.round(late)} ms behind the cut`
    return { points, wrong, note }
  },
}

async function partition(
  dir: string,
  { key }: MoveGround,
  n: number,
  numbers: SeededNumbers,
): Promise<{ readonly gaveUp: boolean; readonly late: number; readonly cut: string }> {
  const { below } = numbers
  await using networks = await joinNetworks(n)
  const listening = ['--allow', key, '--host', networks.address]
  await using server = await lastingServer(join(dir, 'B'), listening, { folder: dir, under: networks.inServer })
  const ends = ['--from', 'A', '--to', server.url, '--peer-key', server.key]
  const start = (patience: number, ...more: readonly string[]) => {
    const command = ['run', ...ends, '--timeout', String(patience / 1_000), ...more]
    return startProgram(dir, 'vault-migrate', command, networks.inClient)
  }
  const step = `${STEPS[below(STEPS.length)]} `
  const how = CUTS[below(CUTS.length)] ?? 'down'
  const delay = below(600)
  const lasts = below(2) === 0 ? below(PATIENCE / 2) : 3 * PATIENCE
  const { child, ended } = start(PATIENCE, '--bwlimit', RATE)
  const finished = ended.then((outcome) => ({ outcome, at: performance.now() }))
  const begun = Promise.withResolvers<void>()
  let seen = ''
  child.stderr?.on('data', (text) => {
    seen += text
    if (seen.includes(step)) begun.resolve()
  })
  await Promise.race([begun.promise, ended])
  await Promise.race([sleep(delay), ended])
  await networks.cut(how)
  const cutAt = performance.now()
  await Promise.race([sleep(lasts), ended])
  await networks.heal()
  const { outcome, at } = await finished
  const gaveUp = outcome.code !== 0
  if (gaveUp) {
    // It says by a code what happened, and in words how it goes on.
    if (outcome.code !== 4 || !/again/i.test(outcome.stderr)) throw new Error(`${how} at ${step}: ${said(outcome)}`)
    const again = await start(5 * PATIENCE).ended
    if (again.code !== 0 && !again.stderr.includes('MIGRATION_SOURCE_REFUSED')) throw new Error(`again: ${said(again)}`)
  }
  await server.end()
  return { gaveUp, late: gaveUp ? at - cutAt : 0, cut: `${how}, ${delay} ms behind ${step}` }
}
