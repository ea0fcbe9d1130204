import type { CasErrorCode } from '@vault/cas'
import type { AbortOptions, ContentId, Finding } from '@vault/core'
import { isFullDisk, isVaultError, VaultError } from '@vault/core'
import type { TransferFindingCode } from './error.ts'
import { evacuate, type ReclaimedPlace, withoutCopy } from './evacuate.ts'
import { type Surveyed, type SurveyProgress, surveySegments } from './survey-segments.ts'

export interface ReclaimOptions extends AbortOptions {
  /** Of all bytes of the store, the share that may stay although nobody needs it, 0 to 1. Default: 0.05. */
  readonly maxUnused?: number
  /**
   * Says what would be done, and does nothing. That a segment whose last write was never finished can go is taken for granted: it is known
   * when what is needed of it is stored again. Default: `false`.
   */
  readonly dryRun?: boolean
}

/** What reclaim tells as it goes, and at its end. */
export type ReclaimEvent =
  | SurveyProgress
  | { readonly type: 'progress'; readonly phase: 'copy'; readonly done: number; readonly of: number }
  | ({ readonly type: 'report' } & ReclaimReport)

/** What reclaim did, or would do. */
export interface ReclaimReport {
  /** Segments that went. */
  readonly segments: number
  /** Records in them that nobody needs, or that lie elsewhere too. */
  readonly objects: number
  /** What was stored again. */
  readonly copied: { readonly objects: number; readonly bytes: number }
  /** Bytes of the segments that went, without those that were stored again. */
  readonly bytesFreed: number
  /** Segments that stay, and bytes in them that nobody needs, as far as these can be told. */
  readonly kept: {
    readonly segments: number
    readonly unused: number
    /** Of them those whose last write was never finished, or is under way. */
    readonly unfinished: { readonly segments: number; readonly bytes: number }
  }
  /**
   * Segments that stay because of their damage, or because what is found nowhere may lie in them: `CAS_CORRUPT`,
   * `TRANSFER_SOURCE_DAMAGED`, with the segment as subject.
   */
  readonly findings: readonly Finding[]
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
 * needed is lost, and the next one goes on. An object that lies in several segments is needed in one of them. A segment whose last write
 * was never finished goes only when all that the place needs is found in segments that nobody has condemned.
 *
 * Throws what the stores throw; where there is no room for what has to be stored anew of a segment, `CAS_WRITE_FAILED` with
 * `details.room`, in bytes: before any of it is written where the place tells its free bytes.
 */
export async function* reclaimSpace(place: ReclaimedPlace, options: ReclaimOptions = {}): AsyncGenerator<ReclaimEvent> {
  const { maxUnused = MAX_UNUSED, dryRun = false, ...abort } = options
  if (!(maxUnused >= 0 && maxUnused <= 1)) throw new RangeError(`A share is 0 to 1, not ${maxUnused}`)
  const findings: Finding[] = []
  const segments = await place.objects.segments(abort)
  const surveyed = yield* surveySegments(place, segments, findings, abort)
  const condemned = new Set(
    await place.reclaim.condemned(
      surveyed.map(({ segment }) => segment),
      abort,
    ),
  )
  const chosen = choose(surveyed, condemned, maxUnused)
  const { gone, ...work } = dryRun ? expected(chosen) : yield* carryOut(place, chosen, findings, abort)
  const staying = surveyed.filter(({ segment }) => !gone.has(segment))
  const unfinished = staying.filter((one) => one.unfinished)
  const kept = {
    segments: segments.length - gone.size,
    unused: staying.reduce((sum, { unused }) => sum + unused, 0),
    unfinished: { segments: unfinished.length, bytes: unfinished.reduce((sum, { bytes }) => sum + bytes, 0) },
  }
  yield { type: 'report', segments: gone.size, ...work, kept, findings }
}

/** Which segments go, those with the least to copy first. What an interrupted reclaim has condemned goes in any case. */
function choose(surveyed: readonly Surveyed[], condemned: ReadonlySet<string>, maxUnused: number): readonly Surveyed[] {
  const chosen = new Set(surveyed.filter((one) => condemned.has(one.segment) || costsNothing(one)))
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

/** What was done, and the segments that went. */
interface Work extends Pick<ReclaimReport, 'objects' | 'copied' | 'bytesFreed'> {
  readonly gone: ReadonlySet<string>
}

function expected(chosen: readonly Surveyed[]): Work {
  const sum = (of: (one: Surveyed) => number) => chosen.reduce((total, one) => total + of(one), 0)
  const bytes = sum(roomFor)
  return {
    gone: new Set(chosen.map(({ segment }) => segment)),
    objects: sum(({ unusedRecords }) => unusedRecords),
    copied: { objects: sum(({ records, unusedRecords }) => records - unusedRecords), bytes },
    bytesFreed: sum(({ unused }) => unused),
  }
}

/** A segment of which everything that is needed, as far as it can be read, is durable elsewhere. */
interface Ready extends Pick<Surveyed, 'segment' | 'bytes'> {
  /** Records in it that were not stored again. */
  readonly left: number
}

async function* carryOut(
  place: ReclaimedPlace,
  chosen: readonly Surveyed[],
  findings: Finding[],
  options: AbortOptions,
): AsyncGenerator<ReclaimEvent, Work> {
  const { objects, reclaim } = place
  const gone = new Set<string>()
  let [left, freed, copied, bytes] = [0, 0, 0, 0]
  let ready: Ready[] = []
  const unfinished: Ready[] = []
  let waiting = 0
  const condemn = async (these: readonly Surveyed[]) => {
    const names = these.map(({ segment }) => segment)
    if (names.length > 0) await reclaim.condemn(names, options)
  }
  const removeThese = async (these: readonly Ready[]) => {
    await objects.removeSegments(these.map(({ segment }) => segment))
    for (const one of these) {
      gone.add(one.segment)
      left += one.left
      freed += one.bytes
    }
  }
  // Not to be stopped: what is ready has been stored again, and would lie there twice.
  const remove = async () => {
    const these = ready
    ready = []
    waiting = 0
    if (these.length > 0) await removeThese(these)
  }
  /** Gives what is missing without those that are unfinished: then these stay. */
  const removeAll = async () => {
    await remove()
    if (unfinished.length === 0) return
    const missing = await firstMissing(place, new Set(unfinished.map(({ segment }) => segment)), options)
    if (missing === undefined) await removeThese(unfinished.splice(0))
    return missing
  }
  await condemn(chosen.filter(costsNothing))
  for (const [done, one] of chosen.entries()) {
    yield { type: 'progress', phase: 'copy', done, of: chosen.length }
    for (const makeRoom of [remove, removeAll]) if (await exceedsRoom(place, one)) await makeRoom()
    if (await exceedsRoom(place, one)) throw noRoom(one)
    // Not before its turn: what lies in one that is condemned counts as lying nowhere when an unfinished one is to go.
    if (!costsNothing(one)) await condemn([one])
    const evacuated = await evacuate(place, one.segment, options).catch(async (error: unknown) => {
      // What is stored again already is not to be stored again by the next one: on a full disk it would never come to an end.
      await remove()
      throw lacksRoom(error) ? noRoom(one, error) : error
    })
    copied += evacuated.copied
    bytes += evacuated.bytes
    if (evacuated.lost.length > 0) findings.push(damagedSegment(one.segment, evacuated.lost))
    const isUnfinished = evacuated.unread?.code === 'CAS_UNACKNOWLEDGED'
    if (evacuated.lost.length > 0 || (evacuated.unread !== undefined && !isUnfinished)) continue
    const these = isUnfinished ? unfinished : ready
    these.push({ segment: one.segment, bytes: one.bytes, left: evacuated.left })
    waiting += evacuated.bytes
    // Those that cost nothing go before the first that does: it may need their room.
    const next = chosen[done + 1]
    if (waiting === 0 && next !== undefined && !costsNothing(next)) await removeAll()
    else if (waiting >= BYTES_PER_STEP) await remove()
  }
  const missing = await removeAll()
  if (missing !== undefined) findings.push(...unfinished.map(({ segment }) => lastHope(segment, missing)))
  yield { type: 'progress', phase: 'copy', done: chosen.length, of: chosen.length }
  return { gone, objects: left, copied: { objects: copied, bytes }, bytesFreed: freed - bytes }
}

/**
 * The first id that is needed and of which no segment has a record but these, and those that are condemned: another reclaim may rely on
 * one of these for what it takes away.
 */
async function firstMissing(
  place: ReclaimedPlace,
  unfinished: ReadonlySet<string>,
  options: AbortOptions,
): Promise<ContentId | undefined> {
  const leaving = new Set(unfinished)
  for await (const ids of place.reclaim.list(options)) {
    const missing = await withoutCopy(place, ids, leaving, options)
    // What was released since it was listed is not missed.
    const needed = await place.reclaim.needed(missing, options)
    const first = missing.find((_, i) => needed[i])
    if (first !== undefined) return first
  }
  return undefined
}

const lacksRoom = (error: unknown): error is VaultError<CasErrorCode> =>
  isVaultError(error, 'CAS_WRITE_FAILED') && isFullDisk(error.details.errno)

/** Whether what has to be stored anew of a segment finds no room: told beforehand, it does not fill up what room there is. */
async function exceedsRoom(place: ReclaimedPlace, one: Surveyed): Promise<boolean> {
  const needed = roomFor(one)
  return needed > 0 && place.freeBytes !== undefined && (await place.freeBytes()) < needed
}

/** Whether nothing of it has to be stored again, as far as the survey tells. */
const costsNothing = ({ records, unusedRecords }: Surveyed): boolean => records === unusedRecords

const roomFor = ({ bytes, unused }: Surveyed): number => bytes - unused

/** A full disk, as the store says it, with the room that this segment takes. */
function noRoom(one: Surveyed, cause?: VaultError<CasErrorCode>): VaultError<CasErrorCode> {
  const { segment, bytes } = one
  const room = roomFor(one)
  const message = `There is no room to go on: ${room} bytes of the segment ${segment} are needed, and are stored anew before its ${bytes} bytes go. Make that room, by moving something else from this disk, then repeat.`
  const details = { errno: 'ENOSPC', ...cause?.details, segment, room }
  return new VaultError({ code: 'CAS_WRITE_FAILED', message, details, ...(cause !== undefined && { cause }) })
}

function lastHope(segment: string, missing: ContentId): Finding {
  const code: TransferFindingCode = 'TRANSFER_SOURCE_DAMAGED'
  const message = `The segment stays: its last write was never finished, or is damaged now, and objects that are needed are found nowhere else, the first is ${missing}. Repair the vault (vaultctl verify --repair), then repeat.`
  return { code, message, subject: segment }
}

function damagedSegment(segment: string, lost: readonly ContentId[]): Finding {
  const code: TransferFindingCode = 'TRANSFER_SOURCE_DAMAGED'
  const message = `The segment stays: it has the last copy, which is damaged, of ${lost.length} objects that are needed, the first is ${lost[0]}. Repair the vault (vaultctl verify --repair), then repeat.`
  return { code, message, subject: segment }
}
