import { isVaultError } from '@vault/core'
import { describe, expect, test } from 'vitest'
import type { MemoryLog } from '../src/index.ts'
import { createMemoryLog, healTrail, verifyTrail } from '../src/index.ts'
import { flip } from './support.ts'
import { events, keys, ORIGIN, trailOf } from './trail-support.ts'

const SIZES = [1, 40, 256, 300, 520]

async function written(sizes: readonly number[]): Promise<MemoryLog> {
  const store = createMemoryLog()
  const trail = await trailOf(store)
  for (const size of sizes) await trail.extend(trail.size, events(trail.size, size))
  return store
}

/** The same files, in a log that stops after so many steps of writing. */
function copyOf(log: MemoryLog, steps = Number.POSITIVE_INFINITY): MemoryLog {
  let left = steps
  const copy = createMemoryLog({
    before: () => {
      if (left-- <= 0) throw new Error('killed')
    },
  })
  for (const [name, bytes] of log.files) copy.files.set(name, bytes)
  return copy
}

async function heal(log: MemoryLog, from?: MemoryLog, atLeast = 520): Promise<readonly string[]> {
  const steps = healTrail({ log, open: async () => log, ...(from && { from }), atLeast, origin: ORIGIN, keys })
  return (await Array.fromAsync(steps)).flatMap((step) => step.written)
}

async function codesOf(log: MemoryLog): Promise<readonly string[]> {
  const steps = await Array.fromAsync(verifyTrail({ log, origin: ORIGIN, keys }))
  return steps.flatMap(({ findings }) => findings.map(({ code }) => code))
}

describe('healing a trail', () => {
  test('writes nothing where all is sound', async () => {
    const good = await written(SIZES)
    expect(await heal(copyOf(good, 0), good)).toEqual([])
    expect(await heal(copyOf(good, 0))).toEqual([])
    expect(await heal(createMemoryLog(), undefined, 0)).toEqual([])
  })

  test('brings back any file, from a copy as long, longer or shorter where that has it', async () => {
    const good = await written(SIZES)
    const others = [good, await written([...SIZES, 530, 600]), await written([1, 40, 256, 300])]
    for (const [name, bytes] of good.files) {
      for (const change of [flip(bytes, 0), flip(bytes, bytes.length >> 1), bytes.subarray(0, 40), undefined]) {
        for (const from of others) {
          // Only a copy that was signed at its end has the last entries and the head.
          if (from === others[2] && (name.includes('entries/002') || name === 'checkpoints/520')) continue
          if (from === others[2] && name.includes('entries/001')) continue
          const log = copyOf(good)
          if (change === undefined) log.files.delete(name)
          else log.files.set(name, change)
          await heal(log, from)
          expect([name, await codesOf(log)]).toEqual([name, []])
          // A tile of an earlier size that is gone is nothing that a reader of this head asks for.
          for (const [other, is] of log.files) {
            if (good.files.has(other)) expect([other, is]).toEqual([other, good.files.get(other)])
          }
        }
      }
    }
  })

  test('makes hash tiles anew from the entries alone', async () => {
    const log = await written(SIZES)
    const good = copyOf(log)
    for (const name of log.files.keys()) {
      if (name.startsWith('tile/') && !name.startsWith('tile/entries/')) log.files.delete(name)
    }
    await heal(log)
    expect(await codesOf(log)).toEqual([])
    for (const [name, bytes] of log.files) expect([name, bytes]).toEqual([name, good.files.get(name)])
  })

  test('takes nothing that is not under the signed head', async () => {
    const good = await written(SIZES)
    const name = [...good.files.keys()].find((file) => file.includes('entries/000')) as string
    const forged = copyOf(good)
    forged.files.set(name, flip(good.files.get(name) as Uint8Array, 600))
    const log = copyOf(good)
    log.files.set(name, flip(good.files.get(name) as Uint8Array, 300))
    // Each has an entry that the other lacks: both are brought together.
    await heal(log, forged)
    expect(log.files.get(name)).toEqual(good.files.get(name))
    const both = copyOf(good)
    both.files.set(name, forged.files.get(name) as Uint8Array<ArrayBuffer>)
    const tile = [...good.files.keys()].find((file) => file.startsWith('tile/0/001')) as string
    both.files.delete(tile)
    // The lost entry stays lost, and what can be made of the rest is made.
    expect(await heal(both, forged)).toEqual([tile])
    expect(await codesOf(both)).toEqual(['AUDIT_TAMPERED'])
  })

  test('puts no shorter head in place than was known, and writes nothing then', async () => {
    const good = await written(SIZES)
    const log = copyOf(good, 0)
    log.files.delete('checkpoint')
    log.files.delete('checkpoints/520')
    const failed = await heal(log, await written([1, 40])).catch((error: unknown) => error)
    expect(isVaultError(failed, 'AUDIT_MISSING')).toBe(true)
  })

  test('goes on after it was killed at any step', async () => {
    const good = await written(SIZES)
    const empty = createMemoryLog()
    for (let steps = 0; ; steps++) {
      const log = copyOf(empty, steps)
      const killed = await heal(log, good).then(
        () => false,
        () => true,
      )
      const again = copyOf(log)
      await heal(again, good)
      expect([steps, await codesOf(again)]).toEqual([steps, []])
      if (!killed) break
    }
  })
})
