import type { Bytes, Finding } from '@vault/core'
import { copyBytes, utf8 } from '@vault/core'
import { EMPTY_ROOT, leafHash } from '@vault/merkle'
import { describe, expect, test } from 'vitest'
import { AuthenticTiles } from '../src/authentic-tiles.ts'
import { checkEntryAt } from '../src/check-entry.ts'
import type { MemoryLog, VerifyStep } from '../src/index.ts'
import {
  createMemoryLog,
  createNoteSigner,
  decodeEntry,
  decodeEntryBundle,
  encodeEntryBundle,
  eventOf,
  importTrail,
  sealEntry,
  signCheckpoint,
  verifyTrail,
} from '../src/index.ts'
import { TreeBuilder } from '../src/tree-builder.ts'
import { rejectionCode } from './trail-code.ts'
import { events, keys, ORIGIN, signer, trailOf } from './trail-support.ts'

async function verified(log: MemoryLog, fixed = 0): Promise<Finding[]> {
  const findings: Finding[] = []
  for await (const step of verifyTrail({ log, origin: ORIGIN, keys, fixed })) findings.push(...step.findings)
  return findings
}

async function written(sizes: readonly number[]): Promise<MemoryLog> {
  const store = createMemoryLog()
  const trail = await trailOf(store)
  for (const size of sizes) await trail.extend(trail.size, events(trail.size, size))
  return store
}

/** Another bundle with one entry changed. */
function withEntry(bundle: Uint8Array, position: number): Uint8Array<ArrayBuffer> {
  const entries = decodeEntryBundle(bundle).map((entry) => entry.slice())
  const entry = entries[position] as Uint8Array
  entry[entry.length - 5] = (entry[entry.length - 5] as number) ^ 1
  return encodeEntryBundle(entries)
}

const SIZES = [1, 40, 256, 300, 520]

test('what is wrong with an entry is a part of a sentence', () => {
  expect(checkEntryAt(0, new Uint8Array(3), null)).toMatch(/^Not an entry of a trail: .*[^.]$/)
})

describe('verifying a trail', () => {
  test('finds nothing in a good one, and says how far it is', async () => {
    const log = await written(SIZES)
    const steps: VerifyStep[] = []
    for await (const step of verifyTrail({ log, origin: ORIGIN, keys })) steps.push(step)
    expect(steps.flatMap(({ findings }) => findings)).toEqual([])
    expect(steps.at(-1)).toMatchObject({ checked: 520, size: 520 })
    expect(await verified(createMemoryLog())).toEqual([])
  })

  test('finds a flipped bit in any file', async () => {
    const good = await written(SIZES)
    expect([...good.files.keys()].length).toBeGreaterThan(12)
    for (const [name, bytes] of good.files) {
      for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
        const log = createMemoryLog()
        for (const [each, content] of good.files) log.files.set(each, content)
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] as number) ^ 1
        log.files.set(name, damaged)
        const findings = await verified(log)
        expect(findings, `${name} at ${at}`).not.toEqual([])
      }
    }
  })

  test('finds nothing where the log grows meanwhile', async () => {
    const log = await written([2, 40])
    const trail = await trailOf(log)
    // Each time the log is asked for anything, it has grown before the answer.
    const growing: MemoryLog = { ...log, read: growThen(log.read), list: growThen(log.list), head: growThen(log.head) }
    function growThen<Args extends unknown[], Result>(ask: (...args: Args) => Promise<Result>) {
      return async (...args: Args) => {
        await trail.extend(trail.size, events(trail.size, trail.size + 30))
        return await ask.apply(log, args)
      }
    }
    const steps: VerifyStep[] = []
    for await (const step of verifyTrail({ log: growing, origin: ORIGIN, keys })) steps.push(step)
    expect(steps.flatMap(({ findings }) => findings)).toEqual([])
    expect(steps.at(-1)?.checked).toBeLessThan(trail.size)
  })

  test('names the entry that was changed, and no other', async () => {
    const log = await written([520])
    log.files.set('tile/entries/001', withEntry(log.files.get('tile/entries/001') as Uint8Array, 44))
    expect(await verified(log)).toMatchObject([{ code: 'AUDIT_TAMPERED', subject: 'entry 300' }])
  })

  test('names the tile that was changed, where the entries are good', async () => {
    const log = await written([520])
    for (const name of ['tile/0/000', 'tile/0/002.p/8', 'tile/1/000.p/2']) {
      const bytes = log.files.get(name) as Uint8Array<ArrayBuffer>
      log.files.set(
        name,
        bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
      )
      expect((await verified(log)).map(({ subject }) => subject)).toContain(name)
      log.files.set(name, bytes)
    }
    expect(await verified(log)).toEqual([])
  })

  test('lists gaps, and goes on behind them', async () => {
    const log = await written([800])
    log.files.delete('tile/entries/001')
    log.files.set('tile/entries/002', withEntry(log.files.get('tile/entries/002') as Uint8Array, 0))
    expect(await verified(log)).toMatchObject([
      { code: 'AUDIT_MISSING', message: expect.stringContaining('256 to 511') },
      { code: 'AUDIT_TAMPERED', subject: 'entry 512' },
    ])
  })

  test('sees a head that went back, and a checkpoint of another history', async () => {
    const log = await written(SIZES)
    log.files.set('checkpoint', log.files.get('checkpoints/300') as Uint8Array<ArrayBuffer>)
    expect((await verified(log)).map(({ code, subject }) => [code, subject])).toContainEqual([
      'AUDIT_ROLLBACK',
      'checkpoints/520',
    ])

    // Of what is fixed and waits for the log, a checkpoint may be left whose head the power took.
    expect((await verified(log, 520)).map(({ code }) => code)).not.toContain('AUDIT_ROLLBACK')
    expect((await verified(log, 519)).map(({ code }) => code)).toContain('AUDIT_ROLLBACK')

    const fork = createMemoryLog()
    await (await trailOf(fork)).extend(0, events(5, 45))
    const other = await written(SIZES)
    other.files.set('checkpoints/40', fork.files.get('checkpoints/40') as Uint8Array<ArrayBuffer>)
    expect(await verified(other)).toMatchObject([{ code: 'AUDIT_FORK', subject: 'checkpoints/40' }])
  })
})

/** A log of these leaves, whatever they are, as whoever has the log key can make it. */
async function signedLog(leaves: readonly Bytes[]): Promise<MemoryLog> {
  const log = createMemoryLog()
  const builder = await TreeBuilder.load(await AuthenticTiles.load(log, { size: 0, root: EMPTY_ROOT }))
  const files = [...leaves.flatMap((leaf) => [...builder.append(leaf)]), ...builder.partial()]
  for (const { name, bytes } of files) log.files.set(name, copyBytes(bytes))
  const checkpoint = { origin: ORIGIN, size: builder.size, root: builder.root(), extensions: [] }
  log.files.set('checkpoint', await signCheckpoint(checkpoint, [createNoteSigner({ name: ORIGIN, signer })]))
  return log
}

async function imported(from: MemoryLog, to: MemoryLog, checkpoint = from.files.get('checkpoint')): Promise<number[]> {
  const stored: number[] = []
  for await (const step of importTrail({ from, to, origin: ORIGIN, keys, checkpoint: checkpoint as Uint8Array }))
    stored.push(step.stored)
  return stored
}

describe('importing a trail', () => {
  test('gives the same files, and goes on from what is there', async () => {
    const from = await written([600])
    const to = createMemoryLog()
    expect(await imported(from, to)).toEqual([256, 512, 600])
    expect([...to.files.entries()].sort()).toEqual([...from.files.entries()].sort())
    expect(await verified(to)).toEqual([])
    expect(await imported(from, to)).toEqual([])
    const trail = await trailOf(from)
    await trail.extend(600, events(600, 900))
    expect(await imported(from, to)).toEqual([256, 512, 768, 900])
    expect(await verified(to)).toEqual([])
    expect((await trailOf(to)).root).toEqual(trail.root)
  })

  test('goes on behind the head where that is asked for, and reads and writes no bundle before it', async () => {
    const from = await written([1])
    const to = createMemoryLog()
    const touched: string[] = []
    const see = <T>(name: string, value: T): T => {
      if (name.startsWith('tile/entries/')) touched.push(name)
      return value
    }
    const source: MemoryLog = { ...from, read: (name, options) => see(name, from.read(name, options)) }
    const target: MemoryLog = {
      ...to,
      read: (name, options) => see(name, to.read(name, options)),
      async write(files, options) {
        for (const { name } of files) see(name, undefined)
        await to.write(files, options)
      },
    }
    const goOn = async () => {
      const checkpoint = from.files.get('checkpoint') as Uint8Array
      const stored: number[] = []
      const parts = { from: source, to: target, origin: ORIGIN, keys, checkpoint, goOn: true }
      for await (const step of importTrail(parts)) stored.push(step.stored)
      return stored
    }
    const trail = await trailOf(from)
    for (const size of [3, 40, 255, 256, 257, 300, 512, 700]) {
      await trail.extend(trail.size, events(trail.size, size))
      const before = touched.length
      const first = Math.floor((await trailOf(to)).size / 256)
      expect((await goOn()).at(-1), `${size}`).toBe(size)
      const bundles = touched.slice(before).map((name) => Number(name.split('/')[2]?.replace('.p', '')))
      expect(Math.min(...bundles), `${size}`).toBeGreaterThanOrEqual(first)
      expect(await verified(to), `${size}`).toEqual([])
      const whole = ({ files }: MemoryLog) => [...files].filter(([file]) => /^tile\/[^.]+$/.test(file)).sort()
      expect(whole(to), `${size}`).toEqual(whole(from))
    }
    // What is new is hashed, in the middle of a bundle too.
    await trail.extend(700, events(700, 720))
    const name = 'tile/entries/002.p/208'
    from.files.set(name, withEntry(from.files.get(name) as Uint8Array, 195))
    expect(await rejectionCode(goOn())).toBe('AUDIT_TAMPERED')
    expect((await trailOf(to)).size).toBe(700)
  })

  test('stops at the entry that was tampered with, and stores nothing from its package on', async () => {
    for (const index of [0, 3, 255, 256, 511, 512, 599]) {
      const from = await written([600])
      const name = index < 512 ? `tile/entries/00${Math.floor(index / 256)}` : 'tile/entries/002.p/88'
      from.files.set(name, withEntry(from.files.get(name) as Uint8Array, index % 256))
      const to = createMemoryLog()
      await expect(imported(from, to)).rejects.toMatchObject({ code: 'AUDIT_TAMPERED', details: { index } })
      const bundles = [...to.files.keys()].filter((each) => each.startsWith('tile/entries/'))
      expect(bundles).toEqual(['tile/entries/000', 'tile/entries/001'].slice(0, Math.floor(index / 256)))
      expect(to.files.has('checkpoint')).toBe(false)
    }
  })

  test('takes up where it was interrupted, without fetching again, and mends what was damaged', async () => {
    const from = await written([600])
    const to = createMemoryLog()
    for await (const { stored } of importTrail({
      from,
      to,
      origin: ORIGIN,
      keys,
      checkpoint: from.files.get('checkpoint') as Uint8Array,
    })) {
      if (stored === 512) break
    }
    to.files.set('tile/entries/001', withEntry(to.files.get('tile/entries/001') as Uint8Array, 3))
    const fetched: string[] = []
    const read = from.read
    from.read = async (name, options) => {
      if (name.startsWith('tile/entries/')) fetched.push(name)
      return await read(name, options)
    }
    await imported(from, to)
    expect(fetched).toEqual(['tile/entries/001', 'tile/entries/002.p/88'])
    expect(await verified(to)).toEqual([])
  })

  test('never goes back, and refuses a fork', async () => {
    const from = await written([300, 600])
    const to = createMemoryLog()
    await imported(from, to)
    expect(await imported(from, to, from.files.get('checkpoints/300'))).toEqual([])
    expect((await trailOf(to)).size).toBe(600)

    const fork = createMemoryLog()
    await (await trailOf(fork)).extend(0, events(1, 801))
    expect(await rejectionCode(imported(fork, to))).toBe('AUDIT_FORK')
    expect(await rejectionCode(imported(from, fork))).toBe('AUDIT_FORK')
    expect((await trailOf(to)).size).toBe(600)
  })

  test('refuses a signed entry that is none, or out of its place, and stores nothing from its package on', async () => {
    const good = decodeEntryBundle((await written([300])).files.get('tile/entries/000') as Uint8Array)
    const rest = decodeEntryBundle((await written([300])).files.get('tile/entries/001.p/44') as Uint8Array)
    const entries = [...good, ...rest]
    const eventAt = (n: number) => eventOf(decodeEntry(entries[n] as Bytes))
    const other = sealEntry(eventAt(280), 280, leafHash(entries[7] as Uint8Array))
    const faults: readonly (readonly [number, Uint8Array])[] = [
      [280, utf8('garbage')],
      [280, entries[279] as Uint8Array],
      [280, other],
      [256, sealEntry(eventAt(256), 256, leafHash(entries[254] as Uint8Array))],
      [0, utf8('garbage')],
    ]
    for (const [index, fault] of faults) {
      const from = await signedLog(entries.with(index, fault as Bytes))
      const to = createMemoryLog()
      await expect(imported(from, to)).rejects.toMatchObject({ code: 'AUDIT_TAMPERED', details: { index } })
      const bundles = [...to.files.keys()].filter((each) => each.startsWith('tile/entries/'))
      expect(bundles).toEqual(index < 256 ? [] : ['tile/entries/000'])
    }
    expect(await imported(await signedLog(entries), createMemoryLog())).toEqual([256, 300])
  })

  test('refuses more entries than are asked for, before anything is read', async () => {
    const from = await written([300])
    const checkpoint = from.files.get('checkpoint') as Uint8Array
    const run = async (maxSize: number) => {
      const to = createMemoryLog()
      const reads: string[] = []
      const watched = {
        read: (name: string) => {
          reads.push(name)
          return from.read(name)
        },
      }
      const steps = importTrail({ from: watched, to, origin: ORIGIN, keys, checkpoint, maxSize })
      const code = await rejectionCode(Array.fromAsync(steps))
      return { code, reads: reads.length, files: to.files.size }
    }
    expect(await run(299)).toEqual({ code: 'AUDIT_CHECKPOINT_INVALID', reads: 0, files: 0 })
    expect((await run(300)).files).toBe(from.files.size)
  })

  test('of tampered tiles stores nothing', async () => {
    for (const name of ['tile/0/002.p/88', 'tile/1/000.p/2', 'tile/0/000']) {
      const from = await written([600])
      const tile = from.files.get(name) as Uint8Array
      tile[5] = (tile[5] as number) ^ 1
      const to = createMemoryLog()
      expect(await rejectionCode(imported(from, to))).toBe('AUDIT_TAMPERED')
      expect(to.files.size).toBe(0)
    }
  })
})
