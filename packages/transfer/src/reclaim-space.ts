import type { CasErrorCode, StoredSegment } from '@vault/cas'
import type { AbortOptions, ContentId, Finding } from '@vault/core'
import { isFullDisk, isVaultError, VaultError } from '@vault/core'
import type { TransferFindingCode } from './error.ts'
import { evacuate, type ReclaimedPlace, UNREAD } from './evacuate.ts'

export interface ReclaimOptions extends AbortOptions {
  /** Of all bytes of the store, the share that may stay although nobody needs it, 0 to 1. Default: 0.05. */
  readonly maxUnused?: number
  /** Says what would be done, and does nothing. Default: `false`. */
  readonly dryRun?: boolean
}

/** What reclaim tells as it goes, and at its end. */
export type ReclaimEvent =
  | { readonly type: 'progress'; readonly phase: 'survey' | 'copy'; readonly done: number; readonly of: number }
  | ({ readonly type: 'report' } & ReclaimReport)

/** What reclaim did, or would do. */
export interface ReclaimReport {
  /** Segments that went. */
  readonly segments: number
  /** Records in them that nobody needs. */
  readonly objects: number
  /** What was stored again. */
  readonly copied: { readonly objects: number; readonly bytes: number }
  /** Bytes of the segments that went, without those that were stored again. */
  readonly bytesFreed: number
  /** Segments that stay, and bytes in them that nobody needs, as far as these can be told. */
  readonly kept: {
    readonly segments: number
    readonly unused: number
    /** Of them those whose last write was never finished, or is under way: what nobody needs of them cannot be told. */
    readonly unfinished: { readonly segments: number; readonly bytes: number }
  }
  /** Segments that stay because of their damage: `CAS_CORRUPT`, `TRANSFER_SOURCE_DAMAGED`, with the segment as subject. */
  readonly findings: readonly Finding[]
}

/** A segment, and how much of it is needed. */
interface Surveyed {
  readonly segment: string
  readonly bytes: number
  readonly records: number
  readonly unusedRecords: number
  readonly unused: number
}

const MAX_UNUSED = 0.05
/** So many segments below this length are put together: each costs a file and a look at every opening. */
const SMALL = 16 * 1024 * 1024
const MANY_SMALL = 8
/** Bytes stored again before the segments that they come from go: what a nearly full disk must have free. */
const BYTES_PER_STEP = 256 * 1024 * 1024
/** Those that nobody needs anything of come first, so that they are gone before anything is copied. */
const byShareUnused = (a: Surveyed, b: Surveyed): number => shareUnused(b) - shareUnused(a)
const shareUnused = ({ unused, bytes }: Surveyed): number => unused / Math.max(1, bytes)

/**
 * Frees the bytes of a store that no vault of the place needs: segments with nothing else in them go, others are written anew without
 * them where that pays, and many small ones are put together. Safe beside writers and other reclaims: a segment is condemned before it
 * is looked at, and a change that relies on it is refused then, and stores its bytes again. Killed at any moment, nothing that is
 * needed is lost, and the next one goes on.
 *
 * Throws what the stores throw; where there is no room for what has to be stored anew of a segment, `CAS_WRITE_FAILED` with
 * `details.room`, in bytes: before any of it is written where the place tells its free bytes.
 */
export async function* reclaimSpace(place: ReclaimedPlace, options: ReclaimOptions = {}): AsyncGenerator<ReclaimEvent> {
  const { maxUnused = MAX_UNUSED, dryRun = false, ...abort } = options
  if (!(maxUnused >= 0 && maxUnused <= 1)) throw new RangeError(`A share is 0 to 1, not ${maxUnused}`)
  const findings: Finding[] = []
  const segments = await place.objects.segments(abort)
  const unfinished: StoredSegment[] = []
  const surveyed = yield* survey(place, segments, { findings, unfinished }, abort)
  const condemned = new Set(
    await place.reclaim.condemned(
      surveyed.map(({ segment }) => segment),
      abort,
    ),
  )
  const chosen = choose(surveyed, condemned, maxUnused)
  const names = new Set(chosen.map(({ segment }) => segment))
  const staying = surveyed.filter(({ segment }) => !names.has(segment))
  const work = dryRun ? expected(chosen) : yield* carryOut(place, chosen, findings, abort)
  const kept = {
    segments: segments.length - work.segments,
    unused: staying.reduce((sum, { unused }) => sum + unused, 0),
    unfinished: { segments: unfinished.length, bytes: unfinished.reduce((sum, { bytes }) => sum + bytes, 0) },
  }
  yield { type: 'report', ...work, kept, findings }
}

/** Reads what every segment holds and asks what is needed of it. */
async function* survey(
  { objects, reclaim }: ReclaimedPlace,
  segments: readonly StoredSegment[],
  { findings, unfinished }: { readonly findings: Finding[]; readonly unfinished: StoredSegment[] },
  options: AbortOptions,
): AsyncGenerator<ReclaimEvent, readonly Surveyed[]> {
  const found: Surveyed[] = []
  for (const [done, { segment, bytes }] of segments.entries()) {
    yield { type: 'progress', phase: 'survey', done, of: segments.length }
    let [records, unusedRecords, needed] = [0, 0, 0]
    try {
      for await (const page of objects.contents(segment, options)) {
        const answers = await reclaim.needed(
          page.map(({ id }) => id),
          options,
        )
        records += page.length
        for (const [i, record] of page.entries()) {
          if (answers[i]) needed += record.bytes
          else unusedRecords += 1
        }
      }
      const unused = Math.max(0, bytes - needed)
      found.push({ segment, bytes, records, unusedRecords, unused: unusedRecords === 0 && records > 0 ? 0 : unused })
    } catch (error) {
      if (!isVaultError(error) || !(UNREAD.has(error.code) || error.code === 'CAS_FORMAT')) throw error
      // One that somebody is writing, or was killed at, is no damage; but what its end was cannot be told, so it stays.
      if (error.code === 'CAS_UNACKNOWLEDGED') unfinished.push({ segment, bytes })
      else findings.push({ code: error.code, message: error.message, subject: segment })
    }
  }
  yield { type: 'progress', phase: 'survey', done: segments.length, of: segments.length }
  return found
}

/** Which segments go, those with the least to copy first. What an interrupted reclaim has condemned goes in any case. */
function choose(surveyed: readonly Surveyed[], condemned: ReadonlySet<string>, maxUnused: number): readonly Surveyed[] {
  const chosen = new Set(surveyed.filter((one) => condemned.has(one.segment) || one.records === one.unusedRecords))
  const allowed = maxUnused * surveyed.reduce((sum, { bytes }) => sum + bytes, 0)
  const others = surveyed.filter((one) => !chosen.has(one)).toSorted(byShareUnused)
  let unused = others.reduce((sum, one) => sum + one.unused, 0)
  for (const one of others) {
    if (unused <= allowed || one.unused === 0) break
    chosen.add(one)
    unused -= one.unused
  }
  const small = surveyed.filter((one) => !chosen.has(one) && one.bytes < SMALL)
  if (small.length >= MANY_SMALL) for (const one of small) chosen.add(one)
  return [...chosen].sort(byShareUnused)
}

type Work = Pick<ReclaimReport, 'segments' | 'objects' | 'copied' | 'bytesFreed'>

function expected(chosen: readonly Surveyed[]): Work {
  const sum = (of: (one: Surveyed) => number) => chosen.reduce((total, one) => total + of(one), 0)
  const bytes = sum(roomFor)
  return {
    segments: chosen.length,
    objects: sum(({ unusedRecords }) => unusedRecords),
    copied: { objects: sum(({ records, unusedRecords }) => records - unusedRecords), bytes },
    bytesFreed: sum(({ unused }) => unused),
  }
}

async function* carryOut(
  place: ReclaimedPlace,
  chosen: readonly Surveyed[],
  findings: Finding[],
  options: AbortOptions,
): AsyncGenerator<ReclaimEvent, Work> {
  const { objects, reclaim } = place
  let [segments, left, freed, copied, bytes] = [0, 0, 0, 0, 0]
  let ready: string[] = []
  let waiting = 0
  if (chosen.length > 0) {
    await reclaim.condemn(
      chosen.map(({ segment }) => segment),
      options,
    )
  }
  // Not to be stopped: what is ready has been stored again, and would lie there twice.
  const remove = async () => {
    await objects.removeSegments(ready)
    ready = []
    waiting = 0
  }
  for (const [done, one] of chosen.entries()) {
    yield { type: 'progress', phase: 'copy', done, of: chosen.length }
    if (await exceedsRoom(place, one)) {
      if (ready.length > 0) await remove()
      if (await exceedsRoom(place, one)) throw noRoom(one)
    }
    const evacuated = await evacuate(place, one.segment, options).catch(async (error: unknown) => {
      // What is stored again already is not to be stored again by the next one: on a full disk it would never come to an end.
      if (ready.length > 0) await remove()
      throw lacksRoom(error) ? noRoom(one, error) : error
    })
    copied += evacuated.copied
    bytes += evacuated.bytes
    if (evacuated.lost.length > 0) findings.push(damagedSegment(one.segment, evacuated.lost))
    if (evacuated.lost.length > 0 || evacuated.unread !== undefined) continue
    segments += 1
    left += evacuated.left
    freed += one.bytes
    ready.push(one.segment)
    waiting += evacuated.bytes
    // Those that cost nothing go before the first that does: it may need their room.
    const next = chosen[done + 1]
    const isFirstToCost = waiting === 0 && next !== undefined && next.records > next.unusedRecords
    if (isFirstToCost || waiting >= BYTES_PER_STEP) await remove()
  }
  if (ready.length > 0) await remove()
  yield { type: 'progress', phase: 'copy', done: chosen.length, of: chosen.length }
  return { segments, objects: left, copied: { objects: copied, bytes }, bytesFreed: freed - bytes }
}

const lacksRoom = (error: unknown): error is VaultError<CasErrorCode> =>
  isVaultError(error, 'CAS_WRITE_FAILED') && isFullDisk(error.details.errno)

/** Whether what has to be stored anew of a segment finds no room: told beforehand, it does not fill up what room there is. */
async function exceedsRoom(place: ReclaimedPlace, one: Surveyed): Promise<boolean> {
  const needed = roomFor(one)
  return needed > 0 && place.freeBytes !== undefined && (await place.freeBytes()) < needed
}

const roomFor = ({ bytes, unused }: Surveyed): number => bytes - unused

/** A full disk, as the store says it, with the room that this segment takes. */
function noRoom(one: Surveyed, cause?: VaultError<CasErrorCode>): VaultError<CasErrorCode> {
  const { segment, bytes } = one
  const room = roomFor(one)
  const message = `There is no room to go on: ${room} bytes of the segment ${segment} are needed, and are stored anew before its ${bytes} bytes go. Make that room, by moving something else from this disk, then repeat.`
  const details = { errno: 'ENOSPC', ...cause?.details, segment, room }
  return new VaultError({ code: 'CAS_WRITE_FAILED', message, details, ...(cause !== undefined && { cause }) })
}

function damagedSegment(segment: string, lost: readonly ContentId[]): Finding {
  const code: TransferFindingCode = 'TRANSFER_SOURCE_DAMAGED'
  const message = `The segment stays: it has the last copy, which is damaged, of ${lost.length} objects that are needed, the first is ${lost[0]}. Repair the vault (vaultctl verify --repair), then repeat.`
  return { code, message, subject: segment }
}
