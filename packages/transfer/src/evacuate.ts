import type { BulkCas, ReclaimableCas } from '@vault/cas'
import { lendMany } from '@vault/cas'
import type { AbortOptions, ContentId, VaultError } from '@vault/core'
import { isVaultError } from '@vault/core'
import type { Reclaim } from '@vault/soup'
import { storeUncondemned } from './store-uncondemned.ts'

/** The bytes of a place, and what knows which of them are needed. */
export interface ReclaimedPlace {
  readonly objects: BulkCas & ReclaimableCas
  readonly reclaim: Reclaim
  /** Bytes that can still be written where the objects lie; left out where that cannot be told. */
  freeBytes?(): Promise<number>
}

/** What became of the content of a segment; what is needed of it is durable elsewhere but for `lost`. */
export interface Evacuated {
  /** Objects that were stored again, and the bytes of their content. */
  readonly copied: number
  readonly bytes: number
  /** Records that were not stored again: nobody needs them, or they lie elsewhere too. */
  readonly left: number
  /** Needed, and without a sound copy anywhere in the store. */
  readonly lost: readonly ContentId[]
  /** Why there may be more in the segment than was found: `CAS_CORRUPT` or `CAS_UNACKNOWLEDGED`. */
  readonly unread?: VaultError
}

/** What a segment says that may hold more than can be told. */
const UNREAD: ReadonlySet<string> = new Set(['CAS_CORRUPT', 'CAS_UNACKNOWLEDGED'])

/**
 * Stores what is needed of a segment again, but for what has a sound copy in another one that is not condemned. The segment has to be
 * condemned before: then whatever no vault needs now can come to be needed only by bytes that are written elsewhere. Throws
 * `SOUP_CONDEMNED` where other reclaims took away three times what this one wrote, and what the stores throw.
 */
export async function evacuate(place: ReclaimedPlace, segment: string, options: AbortOptions = {}): Promise<Evacuated> {
  return await storeUncondemned(place.reclaim, (written) => copyNeeded(place, segment, written, options), options)
}

async function copyNeeded(
  place: ReclaimedPlace,
  segment: string,
  written: Set<string>,
  options: AbortOptions,
): Promise<Evacuated> {
  const { objects, reclaim } = place
  let [copied, bytes, left] = [0, 0, 0]
  const lost: ContentId[] = []
  const leaving = new Set([segment])
  let unread: VaultError | undefined
  for await (const records of readable(objects.contents(segment, options), (error) => {
    unread = error
  })) {
    const all = records.map(({ id }) => id)
    const needed = await reclaim.needed(all, options)
    const asked = [...new Set(all.filter((_, i) => needed[i]))]
    const ids = await withoutCopy(place, asked, leaving, { ...options, check: true })
    left += all.length - ids.length
    if (ids.length === 0) continue
    for await (const { blocks, absent, damaged, release } of lendMany(objects, [ids], options)) {
      lost.push(...absent, ...damaged)
      for await (const ack of objects.putMany([blocks], options)) {
        if (ack.segment !== '') written.add(ack.segment)
        copied += blocks.length
        bytes += ack.bytes
      }
      release()
    }
  }
  return { copied, bytes, left, lost, ...(unread === undefined ? {} : { unread }) }
}

/**
 * Those of which only segments that are condemned, as all of `leaving`, have a copy, with `check` a sound one; adds those that it finds to
 * be so. One that is not condemned yet can be relied on by whoever has condemned what goes: a reclaim that condemns it later does not rely
 * on that, and stores again what was found in this one, or lets it stay where it does not find that.
 */
export async function withoutCopy(
  { objects, reclaim }: ReclaimedPlace,
  ids: readonly ContentId[],
  leaving: Set<string>,
  options: AbortOptions & { readonly check?: boolean },
): Promise<readonly ContentId[]> {
  for (;;) {
    const found = await objects.findElsewhere(ids, leaving, options)
    const segments = new Set(found.filter((name) => name !== undefined))
    const condemned = await reclaim.condemned([...segments], options)
    if (condemned.length === 0) return ids.filter((_, i) => found[i] === undefined)
    for (const name of condemned) leaving.add(name)
  }
}

/** What can be told of a segment; then, where there may be more, why. */
export async function* readable<Page>(
  pages: AsyncIterable<Page>,
  tell: (error: VaultError) => void,
): AsyncGenerator<Page> {
  try {
    yield* pages
  } catch (error) {
    if (!isVaultError(error) || !UNREAD.has(error.code)) throw error
    tell(error)
  }
}
