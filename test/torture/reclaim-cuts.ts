import type { ReclaimableCas } from '@vault/cas'
import { type ContentId, contentId, isVaultError } from '@vault/core'
import { createMemorySoupStore, type SoupStore, storeAndCommit } from '@vault/soup'
import { type Fs, type FsCas, openFsCas } from '@vault/store-fs'
import { faultyFs, type SimulatedFs, simulatedFs } from '@vault/store-fs/testing'
import { reclaimSpace } from '@vault/transfer'
import type { Campaign } from './campaign.ts'
import { CHANGES } from './power-cuts.ts'
import { type SeededNumbers, seededNumbers } from './seeded-numbers.ts'

/**
 * A writer that adds and releases objects, and one or two reclaims beside it, over a disk that loses its power at a random operation,
 * again and again: what is under charge is never lost, and what a reclaim said to be gone stays gone.
 */
export const reclaimCuts: Campaign = {
  name: 'reclaim-cuts',
  small: 40,
  full: 5_000,
  run: async ({ seed, points }) => {
    const wrong: string[] = []
    const total = { reclaimed: 0, refused: 0, charged: 0 }
    for (let i = 0; i < points; i++) {
      const place = await Place.create()
      try {
        await live(place, seededNumbers(seed + i))
      } catch (error) {
        wrong.push(`seed ${seed + i}: ${error instanceof Error ? error.message : String(error)}`)
      }
      for (const of of Object.keys(total) as (keyof typeof total)[]) total[of] += place.told[of]
    }
    const note = `${total.charged} objects came under charge, ${total.reclaimed} segments were removed, ${total.refused} changes stored their bytes again`
    return { points, wrong, note }
  },
}

const VAULT = contentId(new TextEncoder().encode('vault'))
const NONE = { state: 'none', epoch: 0 } as const
const ACTIVE = { state: 'active', epoch: 0 } as const
/** Objects that come again and again, so that what one session releases another one needs. */
const DISTINCT = 40

class Place {
  disk: SimulatedFs = simulatedFs()
  readonly soups: SoupStore = createMemorySoupStore()
  readonly told = { reclaimed: 0, refused: 0, charged: 0 }
  /** Segments that a reclaim said to have removed. */
  readonly gone = new Set<string>()

  static async create(): Promise<Place> {
    const place = new Place()
    await place.soups.tenures.transition(VAULT, NONE, ACTIVE)
    return place
  }

  async open(fs: Fs, numbers: SeededNumbers): Promise<FsCas> {
    const isCondemned = async (segment: string) => (await this.soups.reclaim.condemned([segment])).length > 0
    return await openFsCas({ dir: '/place', mode: 'write', fs, indexRows: 8, random: numbers.bytes, isCondemned })
  }
}

async function live(place: Place, numbers: SeededNumbers): Promise<void> {
  for (let session = 0; session < 4; session++) {
    const at = 20 + numbers.below(200)
    const fs = faultyFs(place.disk, { operations: CHANGES, at, failure: 'EIO', forever: true })
    const acts = [write(place, fs, numbers), reclaim(place, fs, numbers)]
    if (numbers.below(2) === 0) acts.push(reclaim(place, fs, numbers))
    for (const outcome of await Promise.allSettled(acts)) {
      if (outcome.status === 'rejected' && !fs.struck) throw outcome.reason
    }
    if (fs.struck) place.disk = place.disk.crash(numbers.bytes)
    await expectNeeded(place, numbers)
  }
}

async function write(place: Place, fs: Fs, numbers: SeededNumbers): Promise<void> {
  const soup = place.soups.soup(VAULT)
  await using cas = await place.open(fs, numbers)
  for (let i = 0; i < 12; i++) {
    const texts = Array.from({ length: 1 + numbers.below(6) }, () => numbers.below(DISTINCT))
    const blocks = [...new Set(texts)].map(blockOf)
    let attempts = 0
    await storeAndCommit(async () => {
      attempts += 1
      const segments: string[] = []
      for await (const { segment } of cas.putMany([blocks])) segments.push(segment)
      const add = blocks.map(({ id, bytes }) => ({ id, size: bytes.length, links: [] }))
      await soup.commit({ epoch: 0, expect: { segments }, objects: { add } })
    }).catch((error: unknown) => {
      // Three reclaims in a row may be faster than one small put.
      if (!isVaultError(error, 'SOUP_CONDEMNED')) throw error
    })
    place.told.refused += attempts - 1
    place.told.charged += blocks.length
    const release = Array.from({ length: numbers.below(6) }, () => blockOf(numbers.below(DISTINCT)).id)
    if (release.length > 0) await soup.commit({ epoch: 0, objects: { release } })
  }
}

async function reclaim(place: Place, fs: Fs, numbers: SeededNumbers): Promise<void> {
  await using cas = await place.open(fs, numbers)
  for (let i = 0; i < 3; i++) {
    // Begins at any moment of what the others do.
    for (let turns = numbers.below(200); turns > 0; turns--) await Promise.resolve()
    const removed: string[] = []
    const objects = watched(cas, (segments) => removed.push(...segments))
    for await (const event of reclaimSpace({ objects, reclaim: place.soups.reclaim }, { maxUnused: 0 })) {
      if (event.type === 'report') place.told.reclaimed += event.segments
    }
    for (const segment of removed) place.gone.add(segment)
  }
}

function watched(cas: FsCas, removed: (segments: readonly string[]) => void): FsCas {
  const removeSegments: ReclaimableCas['removeSegments'] = async (segments, options) => {
    await cas.removeSegments(segments, options)
    removed(segments)
  }
  return new Proxy(cas, {
    get(target, name) {
      if (name === 'removeSegments') return removeSegments
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Throws where something under charge cannot be read, by one who reads and by one who writes. */
async function expectNeeded({ soups, disk, gone }: Place, numbers: SeededNumbers): Promise<void> {
  const ids: ContentId[] = (await soups.soup(VAULT).members({ limit: 2 * DISTINCT })).map(({ id }) => id)
  for (const mode of ['read', 'write'] as const) {
    await using cas = await openFsCas({ dir: '/place', mode, fs: disk, indexRows: 8, random: numbers.bytes })
    for await (const { absent, damaged } of cas.getMany([ids])) {
      if (absent.length + damaged.length === 0) continue
      throw new Error(`${absent.length} objects under charge are lost, ${damaged.length} damaged`)
    }
    const back = (await cas.segments()).find(({ segment }) => gone.has(segment))
    if (back !== undefined) throw new Error(`The segment ${back.segment} is there again`)
  }
}

function blockOf(n: number) {
  const bytes = new TextEncoder().encode(`object ${n} `.repeat(1 + (n % 20)))
  return { id: contentId(bytes), bytes }
}
