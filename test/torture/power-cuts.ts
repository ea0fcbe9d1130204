import type { AuditEvent } from '@vault/audit-chain'
import { encodeEvent, openTrail } from '@vault/audit-chain'
import { type ContentId, contentId, createSigner } from '@vault/core'
import { type Fs, openFsCas, openFsLogStore, openFsMark } from '@vault/store-fs'
import { type FsOperation, faultyFs, type SimulatedFs, simulatedFs } from '@vault/store-fs/testing'
import type { Campaign } from './campaign.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

/** Sessions over a disk that loses its power at a random operation, again and again: nothing acknowledged is lost. */
export const powerCuts: Campaign = {
  name: 'power-cuts',
  small: 40,
  full: 5_000,
  run: async ({ seed, points }) => {
    const wrong: string[] = []
    let acknowledged = 0
    for (let i = 0; i < points; i++) {
      const round = await cutPower(seed + i, (disk) => disk)
      acknowledged += round.acknowledged
      wrong.push(...round.wrong.map((text) => `seed ${seed + i}: ${text}`))
    }
    return { points, wrong, note: `${acknowledged} objects and entries acknowledged` }
  },
}

const SIGNER = createSigner(new Uint8Array(32).fill(7))
/** What changes a disk. */
export const CHANGES: readonly FsOperation[] = [
  'create',
  'write',
  'datasync',
  'rename',
  'link',
  'remove',
  'syncDir',
  'mkdir',
]
const ORIGIN = 'vault.example/trail'
const MARK = '/marks/mark'
/** No page of an index holds fewer rows. */
const INDEX_ROWS = 8

/** What was acknowledged before the power failed. */
interface Acknowledged {
  readonly objects: Set<ContentId>
  entries: number
  mark: number
}

/** Some sessions with a loss of power in each; `through` stands between the stores and the disk. */
export async function cutPower(
  seed: number,
  through: (disk: Fs) => Fs,
): Promise<{ readonly acknowledged: number; readonly wrong: readonly string[] }> {
  const numbers = seededNumbers(seed)
  const acknowledged: Acknowledged = { objects: new Set(), entries: 0, mark: 0 }
  let disk = simulatedFs()
  try {
    for (let session = 1 + numbers.below(4); session > 0; session--) {
      const fs = faultyFs(disk, { operations: CHANGES, at: 1 + numbers.below(150), failure: 'EIO', forever: true })
      await useUntilCut(through(fs), acknowledged, numbers).catch((error: unknown) => {
        if (!fs.struck) throw error
      })
      disk = disk.crash(numbers.bytes)
      await expectAcknowledged(disk, acknowledged)
    }
    return { acknowledged: acknowledged.objects.size + acknowledged.entries, wrong: [] }
  } catch (error) {
    return { acknowledged: 0, wrong: [error instanceof Error ? error.message : String(error)] }
  }
}

async function useUntilCut(fs: Fs, acknowledged: Acknowledged, numbers: SeededNumbers): Promise<void> {
  const parts = [
    () => storeObjects(fs, acknowledged, numbers),
    () => writeLog(fs, acknowledged, numbers),
    () => writeMarks(fs, acknowledged, numbers),
  ]
  // Each comes first at times, so that each meets every operation.
  const first = numbers.below(parts.length)
  for (let i = 0; i < parts.length; i++) await parts[(first + i) % parts.length]?.()
}

async function storeObjects(fs: Fs, { objects }: Acknowledged, numbers: SeededNumbers): Promise<void> {
  for (let opening = 0; opening < 2; opening++) {
    await using cas = await openFsCas({
      dir: '/a/store',
      mode: 'write',
      fs,
      indexRows: INDEX_ROWS,
      random: numbers.bytes,
    })
    for (let i = 0; i < 3; i++) {
      const singles = [1, 2].map(() => cas.put(numbers.bytes(numbers.below(900))))
      for (const outcome of await Promise.allSettled(singles)) {
        if (outcome.status === 'fulfilled') objects.add(outcome.value)
      }
      const blocks = Array.from({ length: 1 + numbers.below(12) }, () => numbers.bytes(numbers.below(700)))
      const batch = blocks.map((bytes) => ({ id: contentId(bytes), bytes }))
      for await (const { ids } of cas.putMany([batch])) for (const id of ids) objects.add(id)
    }
  }
}

async function writeLog(fs: Fs, acknowledged: Acknowledged, numbers: SeededNumbers): Promise<void> {
  const trail = await openLog(fs, numbers)
  for (let i = 0; i < 3; i++) {
    const events = Array.from({ length: 1 + numbers.below(3) }, (_, n) => eventOf(trail.size + n))
    acknowledged.entries = (await trail.extend(trail.size, events)).size
  }
}

async function openLog(fs: Fs, numbers: SeededNumbers) {
  const store = await openFsLogStore({ dir: '/a/log', mode: 'write', fs, random: numbers.bytes })
  return await openTrail({ origin: ORIGIN, store, keys: [], signer: SIGNER, clock: () => new Date(0) })
}

function eventOf(index: number) {
  const event: AuditEvent = {
    time: 1_700_000_000 + index,
    actor: { name: 'kim', proven: false },
    action: { verb: 'put', object: `path:${index}` },
    key: `test:${index}`,
  }
  return encodeEvent(event)
}

async function writeMarks(fs: Fs, acknowledged: Acknowledged, numbers: SeededNumbers): Promise<void> {
  const mark = openFsMark(MARK, { fs, random: numbers.bytes })
  for (let i = 0; i < 2; i++) {
    const size = acknowledged.mark + 1
    await mark.write({ epoch: 0, sequence: size, size, root: new Uint8Array(32) })
    acknowledged.mark = size
  }
}

/** Throws where something acknowledged is gone, or a scrub takes what was not for damage. Opens everything to write, as a next session does. */
async function expectAcknowledged(disk: SimulatedFs, { objects, entries, mark }: Acknowledged): Promise<void> {
  const numbers = seededNumbers(entries + objects.size)
  for (const mode of ['read', 'write'] as const) {
    await using cas = await openFsCas({ dir: '/a/store', mode, fs: disk, indexRows: INDEX_ROWS, random: numbers.bytes })
    for await (const { absent, damaged } of cas.getMany([[...objects]])) {
      if (absent.length + damaged.length > 0)
        throw new Error(`${absent.length} objects lost, ${damaged.length} damaged`)
    }
    for await (const { findings } of cas.scrub()) {
      const damage = findings.find(({ code }) => code !== 'CAS_UNACKNOWLEDGED')
      if (damage !== undefined) throw new Error(`${damage.code}: ${damage.message}`)
    }
  }
  const trail = await openLog(disk, numbers)
  if (trail.size < entries) throw new Error(`${entries} entries were acknowledged, ${trail.size} are there`)
  let read = 0
  for await (const page of trail.entries()) read += page.length
  if (read !== trail.size) throw new Error(`${trail.size} entries, of which ${read} can be read`)
  await trail.extend(trail.size, [eventOf(trail.size)])
  const { size = 0 } = (await openFsMark(MARK, { fs: disk }).read()) ?? {}
  if (size < mark) throw new Error(`the mark ${mark} was acknowledged, and is ${size}`)
}
