import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contentId, isVaultError, utf8 } from '@vault/core'
import { createVault, moveSourceOf, openMoveTarget, openVault, owner } from '@vault/embedded'
import type { LiveTerms } from '@vault/migration'
import { moveVault, planMigration, readLiveMove } from '@vault/migration'

// A live move while other processes write: how it ends at several rates, and for how long a writer waited at most; beside them one that only flushes a
// file as often, whose longest wait is the disk's own.
//   node --conditions=@vault/source bench/live.ts [OBJECTS] [MAX_PAUSE_MS] [throttle|raise|abort] [SHARES]
// SHARES: of the rate of the copy, at which others write, by commas. Default: 0.5,0.9,1.5

const WRITERS = 2
// Changes of each writer in a second: more of them would measure how often a disk flushes.
const CHANGES = 20
const WARM_UP_MS = 1_500

interface Written {
  readonly objects: number
  readonly slowest: number
  readonly end: string
}

/** What a writer says when it has written for a while: how many objects in a second it reaches, and how long its slowest change took. */
interface Steady {
  readonly reached: number
  readonly before: number
}

/** The longest that one flush took, in milliseconds. */
interface Flushed {
  readonly flushed: number
}

/** Writes batches at a rate until the vault has moved, or it is told to stop. */
async function writer(dir: string, perSecond: number): Promise<void> {
  await using vault = await openVault(dir)
  const batch = Math.max(1, Math.round(perSecond / CHANGES))
  let [commits, slowest, end, stopped, isSteady] = [0, 0, 'stopped', false, false]
  process.on('message', () => {
    stopped = true
  })
  const started = performance.now()
  while (!stopped) {
    const due = started + (commits * batch * 1000) / perSecond
    const early = due - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, Math.min(early, 50)))
    if (early > 50) continue
    const began = performance.now()
    try {
      const blocks = Array.from({ length: batch }, (_, i) => utf8(`${process.pid} ${commits} ${i}`)).map((bytes) => ({
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
    const passed = performance.now() - started
    if (isSteady || passed < WARM_UP_MS) continue
    isSteady = true
    process.send?.({ reached: (commits * batch * 1000) / passed, before: slowest } satisfies Steady)
    // What was slow before there was a move is no delay by it.
    slowest = 0
  }
  process.send?.({ objects: commits * batch, slowest, end } satisfies Written)
  process.disconnect()
}

/** Appends to a file as often as a writer changes the vault, with one flush for each, until it is told to stop: what the disk does by itself. */
async function flusher(file: string): Promise<void> {
  await using handle = await open(file, 'a')
  const block = new Uint8Array(16_384)
  let [slowest, stopped] = [0, false]
  process.on('message', () => {
    stopped = true
  })
  while (!stopped) {
    const began = performance.now()
    await handle.write(block)
    await handle.sync()
    const took = performance.now() - began
    slowest = Math.max(slowest, took)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1000 / CHANGES - took)))
  }
  process.send?.({ flushed: slowest } satisfies Flushed)
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
  // Since the last time that it was quiesced: when each step began.
  let steps: { readonly effect: string; readonly at: number }[] = []
  try {
    for await (const event of moveVault(plan, parts)) {
      if (event.type === 'step' && event.step.effect === 'quiesce') steps = []
      if (event.type === 'step') steps.push({ effect: event.step.effect, at: performance.now() })
      if (event.type === 'step' && event.step.effect === 'copy') copying = performance.now()
      if (event.type === 'step' && event.step.effect === 'verify') copyMs = performance.now() - copying
      if (event.type === 'round') {
        const { dirty, left, ms, estimateMs, throttleMs } = event.round
        console.error(`   sent ${dirty} in ${ms} ms, left ${left} (~${estimateMs} ms, delay ${throttleMs} ms)`)
      }
      if (event.type === 'batch' && copyMs === 0 && event.batch.type === 'objects') sent += event.batch.ids.length
    }
  } catch (error) {
    if (!isVaultError(error, 'MIGRATION_DIVERGING') && !isVaultError(error, 'MIGRATION_PAUSE_EXCEEDED')) throw error
    end = 'aborted'
  }
  const record = await readLiveMove(parts.source.records, plan.migration_id)
  if (end === 'converged' && record?.rounds.some(({ throttleMs }) => throttleMs > 0)) end = 'throttled'
  const pause = steps.slice(0, -1).map(({ effect, at }, i) => {
    const { at: next } = steps[i + 1] as (typeof steps)[number]
    return `${effect} ${Math.round(next - at)}`
  })
  return { end, record, rate: (sent * 1000) / copyMs, pause: pause.join(', ') }
}

/** The next word of a writer that has this in it. */
function wordOf<T extends object>(child: ChildProcess, key: keyof T & string): Promise<T> {
  return new Promise((resolve, reject) => {
    child.on('message', (word: object) => {
      if (key in word) resolve(word as T)
    })
    child.once('exit', () => reject(new Error(`A writer ended without "${key}".`)))
  })
}

async function scene(
  { filled, objects }: { readonly filled: string; readonly objects: number },
  share: number,
  copied: number,
  live: LiveTerms,
): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'vault-live-'))
  const [a, b] = [join(dir, 'a'), join(dir, 'b')]
  await cp(filled, a, { recursive: true })
  const asked = copied * share
  const children = Array.from({ length: asked === 0 ? 0 : WRITERS }, () =>
    fork(import.meta.filename, ['writer', a, String(asked / WRITERS)], { execArgv: process.execArgv }),
  )
  const beside = fork(import.meta.filename, ['flusher', join(dir, 'flushed')], { execArgv: process.execArgv })
  const flushed = wordOf<Flushed>(beside, 'flushed')
  const ended = [...children, beside].map((child) => once(child, 'exit'))
  const written = children.map((child) => wordOf<Written>(child, 'end'))
  const steady = await Promise.all(children.map((child) => wordOf<Steady>(child, 'reached')))
  const { end, record, rate, pause } = await moveLive(a, b, live)
  // It may have ended by itself.
  for (const child of [...children, beside]) if (child.connected) child.send('stop', () => {})
  const all = await Promise.all(written)
  const { flushed: disk } = await flushed
  await Promise.all(ended)
  const acknowledged = objects + all.reduce((sum, each) => sum + each.objects, 0)
  await using place = await openVault(end === 'aborted' ? a : b)
  const { counts } = await place.roots()
  const lost = acknowledged - counts.objects
  const slowest = Math.max(0, ...all.map((each) => each.slowest))
  const reached = steady.reduce((sum, each) => sum + each.reached, 0)
  const before = Math.max(0, ...steady.map((each) => each.before))
  const rounds = record?.rounds ?? []
  console.log(
    [
      `${Math.round(share * 100)} % (${Math.round(asked)} objects/s asked, ${Math.round(reached)} reached before the move): ${end},`,
      `${rounds.length} rounds, paused ${record?.pauseMs ?? '–'} ms (${record?.overruns} overruns),`,
      `slowest change of a writer ${Math.round(slowest)} ms, ${Math.round(before)} before the move, a flush of the disk beside it ${Math.round(disk)} ms, writers ended ${[...new Set(all.map((each) => each.end))].join(', ') || '–'},`,
      `${acknowledged} acknowledged, ${lost} lost; copied ${Math.round(rate)} objects/s`,
    ].join(' '),
  )
  console.log(`   ms of the steps from the pause on: ${pause}`)
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
} else if (first === 'flusher') {
  await flusher(rest[0] ?? '')
} else {
  const [pause = '1000', diverging = 'throttle', shares = '0.5,0.9,1.5'] = rest
  const objects = Number(first ?? 50_000)
  const live: LiveTerms = { maxPauseMs: Number(pause), diverging: diverging as 'throttle' }
  const dir = await mkdtemp(join(tmpdir(), 'vault-live-filled-'))
  try {
    const ground = { filled: join(dir, 'a'), objects }
    await fill(ground.filled, objects)
    const rate = await scene(ground, 0, 0, live)
    for (const share of shares.split(',').map(Number)) await scene(ground, share, rate, live)
  } finally {
    await rm(dir, { recursive: true })
  }
}
