import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentId, isVaultError, utf8 } from '@vault/core'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner } from '@vault/embedded'
import type { LiveTerms } from '@vault/migration'
import { moveVault, planMigration, readLiveMove } from '@vault/migration'

// A live move while other processes write: how it ends at several rates, and for how long a writer waited at most.
//   node --conditions=@vault/source bench/live.ts [OBJECTS] [MAX_PAUSE_MS] [throttle|raise|abort]

const WRITERS = 2
const BATCH = 16

interface Written {
  readonly commits: number
  readonly slowest: number
  readonly end: string
}

/** Writes batches at a rate until the vault has moved, or it is told to stop. */
async function writer(dir: string, perSecond: number): Promise<void> {
  await using vault = await openVault(dir)
  let [commits, slowest, end, stopped] = [0, 0, 'stopped', false]
  process.on('message', () => {
    stopped = true
  })
  const started = performance.now()
  while (!stopped) {
    const due = started + (commits * BATCH * 1000) / perSecond
    const early = due - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(early, 50)))
    if (early > 50) continue
    const began = performance.now()
    try {
      const blocks = Array.from({ length: BATCH }, (_, i) => utf8(`${process.pid} ${commits} ${i}`)).map((bytes) => ({
        id: contentId(bytes),
        bytes,
        links: [],
      }))
      const segments: string[] = []
      for await (const ack of vault.place.objects.putMany([blocks])) segments.push(ack.segment)
      const add = blocks.map(({ id, bytes }) => ({ id, size: bytes.length, links: [] }))
      await vault.commit({ objects: { add }, expect: { segments } })
    } catch (error) {
      if (!isVaultError(error)) throw error
      end = error.code
      break
    } finally {
      slowest = Math.max(slowest, performance.now() - began)
    }
    commits++
  }
  process.send?.({ commits, slowest, end } satisfies Written)
  process.disconnect()
}

async function fill(dir: string, objects: number): Promise<void> {
  await createVault(dir, { passphrase: undefined })
  await using vault = await openVault(dir)
  for (let from = 0; from < objects; from += 4_096) {
    const blocks = Array.from({ length: Math.min(4_096, objects - from) }, (_, i) => {
      const bytes = utf8(`object ${from + i} ${'.'.repeat(200)}`)
      return { id: contentId(bytes), bytes, links: [] }
    })
    const segments: string[] = []
    for await (const ack of vault.place.objects.putMany([blocks])) segments.push(ack.segment)
    const add = blocks.map(({ id, bytes }) => ({ id, size: bytes.length, links: [] }))
    await vault.commit({ objects: { add }, expect: { segments } })
  }
}

async function moveLive(a: string, b: string, live: LiveTerms) {
  await using vault = await openVault(a)
  await using target = await openMoveTarget(b)
  const parts = { source: await moveSourceOf(vault), target, authorize: owner, live, address: b }
  const plan = await planMigration(parts, { handoff: { keys: 'new' } })
  let copyMs = 0
  let [copying, sent] = [0, 0]
  let end = 'converged'
  try {
    for await (const event of moveVault(plan, parts)) {
      if (event.type === 'step' && event.step.effect === 'copy') copying = performance.now()
      if (event.type === 'step' && event.step.effect === 'verify') copyMs = performance.now() - copying
      if (event.type === 'batch' && copyMs === 0 && event.batch.type === 'objects') sent += event.batch.ids.length
    }
  } catch (error) {
    if (!isVaultError(error, 'MIGRATION_DIVERGING') && !isVaultError(error, 'MIGRATION_PAUSE_EXCEEDED')) throw error
    end = 'aborted'
  }
  const record = await readLiveMove(parts.source.records, plan.migration_id)
  if (end === 'converged' && record?.rounds.some(({ throttleMs }) => throttleMs > 0)) end = 'throttled'
  return { end, record, rate: (sent * 1000) / copyMs }
}

async function scene(objects: number, perSecond: number, live: LiveTerms): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'vault-live-'))
  const [a, b] = [join(dir, 'a'), join(dir, 'b')]
  await fill(a, objects)
  const children = Array.from({ length: perSecond === 0 ? 0 : WRITERS }, () =>
    fork(import.meta.filename, ['writer', a, String(perSecond / WRITERS)], { execArgv: process.execArgv }),
  )
  const written = children.map((child) => new Promise<Written>((resolve) => child.once('message', resolve)))
  if (children.length > 0) await new Promise((resolve) => setTimeout(resolve, 1_000))
  const { end, record, rate } = await moveLive(a, b, live)
  for (const child of children) if (child.connected) child.send('stop')
  const all = await Promise.all(written)
  const acknowledged = objects + all.reduce((sum, { commits }) => sum + commits * BATCH, 0)
  await using place = await openVault(end === 'aborted' ? a : b)
  const { counts } = await place.roots()
  const lost = acknowledged - counts.objects
  const slowest = Math.max(0, ...all.map((each) => each.slowest))
  const rounds = record?.rounds ?? []
  console.log(
    [
      `${Math.round(perSecond)}/s: ${end}, ${rounds.length} rounds, paused ${record?.pauseMs ?? '–'} ms (${record?.overruns} overruns),`,
      `slowest change ${Math.round(slowest)} ms, writers ended ${[...new Set(all.map((each) => each.end))].join(', ') || '–'},`,
      `${acknowledged} acknowledged, ${lost} lost; copied ${Math.round(rate)} objects/s`,
    ].join(' '),
  )
  const most = Math.max(1, ...rounds.map(({ left }) => left))
  for (const { dirty, left, ms, throttleMs, estimateMs } of rounds) {
    const bar = '#'.repeat(Math.ceil((40 * left) / most))
    console.log(`   sent ${dirty} in ${ms} ms, left ${left} (~${estimateMs} ms, delay ${throttleMs} ms) ${bar}`)
  }
  await rm(dir, { recursive: true })
  return rate
}

const [first, ...rest] = process.argv.slice(2)
if (first === 'writer') {
  const [dir = '', rate = ''] = rest
  await writer(dir, Number(rate))
} else {
  const [pause = '1000', diverging = 'throttle'] = rest
  const objects = Number(first ?? 20_000)
  const live: LiveTerms = { maxPauseMs: Number(pause), diverging: diverging as 'throttle' }
  const rate = await scene(objects, 0, live)
  for (const share of [0.5, 0.9, 1.5]) await scene(objects, rate * share, live)
}
