import { createSigner } from '@vault/core'
import { describe, expect, test } from 'vitest'
import type { LogKey } from '../src/index.ts'
import { createMemoryLog, encodeEvent, importTrail, openCheckpoint, openTrail, verifyTrail } from '../src/index.ts'

const origin = 'vault.example/trail'
const clock = () => new Date(0)
const [retired, present] = [1, 2].map((seed) => createSigner(new Uint8Array(32).fill(seed))) as [Signer, Signer]
type Signer = ReturnType<typeof createSigner>

/** The log was handed on at three entries. */
const keys: readonly LogKey[] = [
  { name: origin, key: retired.key, maxSize: 3 },
  { name: origin, key: present.key },
]
const unlimited = keys.map(({ name, key }) => ({ name, key }))

const events = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) =>
    encodeEvent({
      time: from + i,
      actor: { name: 'kim', proven: false },
      action: { verb: 'put', object: `path:${from + i}` },
      key: `test:${from + i}`,
    }),
  )

/** A log of three entries under the retired key, and of more under whoever signs them. */
async function log(signer: Signer, size: number) {
  const store = createMemoryLog()
  const before = await openTrail({ origin, store, keys: [], signer: retired, clock })
  await before.extend(0, events(0, 3))
  const trail = await openTrail({ origin, store, keys: unlimited, signer, clock })
  const { checkpoint = new Uint8Array() } = size > 3 ? await trail.extend(3, events(3, size)) : trail
  return { store, checkpoint }
}

async function findingsOf(store: ReturnType<typeof createMemoryLog>) {
  const found: string[] = []
  for await (const { findings } of verifyTrail({ log: store, origin, keys })) found.push(...findings.map((f) => f.code))
  return found
}

async function imported(from: ReturnType<typeof createMemoryLog>, checkpoint: Uint8Array) {
  const to = createMemoryLog()
  for await (const _ of importTrail({ from, to, checkpoint, origin, keys }));
  return to.files.size
}

describe('a key whose word ended at a size', () => {
  const untrusted = { code: 'AUDIT_CHECKPOINT_UNTRUSTED' }

  test('opens what it signed until then', async () => {
    const { store, checkpoint } = await log(retired, 3)
    expect((await openTrail({ origin, store, keys, clock })).size).toBe(3)
    expect(await findingsOf(store)).toEqual([])
    expect(openCheckpoint(checkpoint, { origin, keys }).signedBy).toMatchObject([{ key: retired.key }])
  })

  test('opens nothing larger: it is refused by read, verification and import', async () => {
    const { store, checkpoint } = await log(retired, 4)
    expect(() => openCheckpoint(checkpoint, { origin, keys })).toThrow(expect.objectContaining(untrusted))
    await expect(openTrail({ origin, store, keys, clock })).rejects.toMatchObject(untrusted)
    expect(await findingsOf(store)).toContain('AUDIT_CHECKPOINT_UNTRUSTED')
    await expect(imported(store, checkpoint)).rejects.toMatchObject(untrusted)
  })

  test('is followed by another, under which all of the log is good', async () => {
    const { store, checkpoint } = await log(present, 4)
    expect((await openTrail({ origin, store, keys, clock })).size).toBe(4)
    expect(await findingsOf(store)).toEqual([])
    expect(await imported(store, checkpoint)).toBeGreaterThan(0)
  })
})
