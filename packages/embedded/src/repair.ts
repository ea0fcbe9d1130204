import { realpath } from 'node:fs/promises'
import { join, relative } from 'node:path'
import {
  type AbortOptions,
  type Clock,
  type ContentId,
  isContentId,
  isVaultError,
  systemClock,
  VaultError,
  type VaultId,
} from '@vault/core'
import { checkNotOld } from './check-not-old.ts'
import { healChecksums } from './checksums.ts'
import { currentTenure } from './current-tenure.ts'
import type { Damage } from './damage.ts'
import { healLog } from './heal-log.ts'
import { healObjects, unreadable } from './heal-objects.ts'
import { type DamagedSegment, healPacks, segmentOf } from './heal-packs.ts'
import { healPlaceFile } from './heal-place-file.ts'
import { isProvenKey } from './keystore.ts'
import { findPlace, openPlace, type Place } from './place.ts'
import type { ScrubEvent, ScrubReport } from './scrub.ts'
import { isDamageError, surveyVault } from './survey.ts'
import { VaultLog } from './vault-log.ts'

/** The `code` of the errors about repairs. */
export type RepairErrorCode =
  /** The other place does not hold the vault that is to be repaired. `details.dir`, `details.vault`. */
  | 'REPAIR_OTHER_VAULT'
  /** The other place is the very folder that is to be repaired. `details.dir`. */
  | 'REPAIR_SAME_PLACE'

/** What a repair tells as it goes, and at its end. What it says is done is durable. */
export type RepairEvent =
  | { readonly type: 'progress'; readonly phase: RepairPhase; readonly done: number; readonly of: number }
  | ({ readonly type: 'report' } & RepairReport)

/** `find` and `check` are a scrub before and after; between them objects, and the log, are brought back. */
export type RepairPhase = 'find' | 'objects' | 'log' | 'check'

/** The outcome of a repair: the report of the scrub after it, and what has changed since the one before it. */
export interface RepairReport extends ScrubReport {
  /** What was damaged and is sound now. */
  readonly repaired: readonly Damage[]
  /** Objects and blocks that are under charge or held, and that neither place has. They are in `damaged` too. */
  readonly lost: readonly Damage[]
  /** Damaged files that were taken out of use and kept; they can be removed. */
  readonly aside: readonly string[]
}

export interface RepairOptions extends AbortOptions {
  /** The folder of another place that holds the same vault. Default: only what is derived, or lies here twice, is brought back. */
  readonly from?: string
  /** See `OpenOptions.stateDir`. */
  readonly stateDir?: string
  readonly clock?: Clock
}

/**
 * Heals what is damaged in the vault of a folder, or says exactly what is lost. Nothing that the other place gives is trusted: an object is
 * what its id names, a file of the log what the signed head stands for. What is sound is not touched; no
 * damaged segment is destroyed. Killed at any moment and begun again, it goes on.
 *
 * Throws `REPAIR_OTHER_VAULT`, `REPAIR_SAME_PLACE`, and what opening either place throws, but for damage of the one that is to be
 * repaired, which is its report; `AUDIT_ROLLBACK` and `AUDIT_FORK` where it is an old copy, which is not what a repair mends.
 */
export async function* repairVault(dir: string, options: RepairOptions = {}): AsyncGenerator<RepairEvent> {
  const { signal, stateDir } = options
  const abort = { signal }
  await using other = options.from === undefined ? undefined : await openOther(dir, options.from)
  const healed = await healFolder(dir, stateDir)
  const vault = other && (await sharedVault(dir, other, abort))
  await checkNotOld(dir, { ...abort, ...(stateDir !== undefined && { stateDir }) })

  const survey = { ...abort, ...(stateDir !== undefined && { stateDir }), ...(vault && { vault }) }
  const before = yield* surveyed('find', surveyVault(dir, survey))
  let aside: readonly string[] = []
  if (!isSound(before)) {
    try {
      aside = yield* heal(dir, before, other, { ...options, ...(vault && { vault }) })
    } catch (error) {
      // What cannot be opened, or read on, cannot be healed either: the report names it.
      if (!isDamageError(error)) throw error
    }
  }
  const after = isSound(before) ? before : yield* surveyed('check', surveyVault(dir, survey))
  const left = new Set(allOf(after).map(keyOf))
  const repaired = [...healed, ...allOf(before).filter((damage) => !left.has(keyOf(damage)))]
  const lost = after.damaged.filter(({ code, subject }) => code === 'CAS_CORRUPT' && isContentId(subject))
  yield { ...after, type: 'report', repaired, lost, aside }
}

async function openOther(dir: string, from: string): Promise<Place> {
  const [here, there] = await Promise.all([dir, from].map(async (path) => await realPlace(path)))
  if (here !== undefined && here === there) {
    throw new VaultError<RepairErrorCode>({
      code: 'REPAIR_SAME_PLACE',
      message: `${from} is the folder that is to be repaired. Name another place that holds the vault.`,
      details: { dir: from },
    })
  }
  return await openPlace(from, { mode: 'read' })
}

async function realPlace(dir: string): Promise<string | undefined> {
  const place = await findPlace(dir)
  return place && (await realpath(place))
}

/** What has to be sound before anything can be opened. */
async function healFolder(dir: string, stateDir: string | undefined): Promise<readonly Damage[]> {
  const healed: Damage[] = []
  for (const place of [dir, join(dir, '.vault')]) {
    if (!(await healPlaceFile(place, stateDir))) continue
    const message = 'vault.json was damaged or gone. It was written anew, as its checksum has it.'
    healed.push({ code: 'VAULT_FORMAT', subject: 'vault.json', names: [], message })
  }
  return healed
}

/** The vault that is to be repaired, which the other place must hold. `undefined` where this place cannot say which it is. */
async function sharedVault(dir: string, other: Place, options: AbortOptions): Promise<VaultId | undefined> {
  let vault: VaultId | undefined
  try {
    await using place = await openPlace(dir, { mode: 'read' })
    vault = (await currentTenure(place.soups))?.vault
  } catch (error) {
    if (!isDamageError(error)) throw error
    return undefined
  }
  if (vault === undefined || (await other.soups.tenures.read(vault, options)).state !== 'none') return vault
  throw new VaultError<RepairErrorCode>({
    code: 'REPAIR_OTHER_VAULT',
    message: `${other.dir} does not hold the vault ${vault}, so nothing there can heal it. Name a replica of it, or a place that it was handed off from or to.`,
    details: { dir: other.dir, vault },
  })
}

/** A scrub, told as progress. */
async function* surveyed(
  phase: RepairPhase,
  events: AsyncIterable<ScrubEvent>,
): AsyncGenerator<RepairEvent, ScrubReport> {
  for await (const event of events) {
    if (event.type === 'report') return event
    yield { type: 'progress', phase, done: event.checked, of: event.objects }
  }
  throw new Error('The scrub ended without a report.')
}

async function* heal(
  dir: string,
  before: ScrubReport,
  other: Place | undefined,
  options: RepairOptions & { readonly vault?: VaultId },
): AsyncGenerator<RepairEvent, readonly string[]> {
  const { signal, clock = systemClock } = options
  await using place = await openPlace(dir, { mode: 'write' })
  const vault = options.vault ?? (await currentTenure(place.soups))?.vault
  if (vault === undefined) return []
  const findings = allOf(before)

  if (findings.some(({ code }) => code.startsWith('VAULT_FILE_'))) await healChecksums(place.dir, isProvenKey)

  const soup = place.soups.soup(vault)
  if (findings.some(({ code }) => code.startsWith('SOUP_'))) {
    await soup.rebuild({ signal }).catch((error: unknown) => {
      if (!isVaultError(error, 'SOUP_CORRUPT')) throw error
    })
  }

  let aside: readonly string[] = []
  const wanted = findings.flatMap(({ subject }) => (isContentId(subject) ? [subject] : []))
  if (wanted.length > 0 || findings.some(({ subject }) => subject.startsWith('objects/'))) {
    const here = { objects: place.objects, reclaim: place.soups.reclaim }
    const segments = await damagedSegments(place, { signal })
    const suspects = [...new Set([...wanted, ...segments.flatMap(({ damaged }) => damaged)])]
    const ids = new Set(await unreadable(place.objects, suspects, { signal }))
    // Found only by the index, in a segment that breaks off before them: stored again before that one goes.
    const readable = suspects.filter((id) => !ids.has(id))
    await Array.fromAsync(healObjects(here, place.objects, readable, { signal }))
    if (other !== undefined) {
      for await (const { done, of } of healObjects(here, other.objects, [...ids], { signal })) {
        yield { type: 'progress', phase: 'objects', done, of }
      }
    }
    const lost = new Set(await unreadable(place.objects, wanted, { signal }))
    aside = await healPacks(place, segments, lost, { signal })
  }

  const log = new VaultLog({ vault, dir: place.dir, soups: place.soups, clock, writable: false })
  const { events } = await soup.tenure({ signal })
  const [first] = await soup.queued({ limit: 1 }, { signal })
  const settled = Math.min(events, first?.index ?? events)
  for await (const { checked, size } of healLog(log, { vault, from: other, settled, clock }, { signal })) {
    yield { type: 'progress', phase: 'log', done: checked, of: size }
  }
  return aside.map((path) => relative(place.dir, path))
}

/** Every damaged segment with what is damaged in it. */
async function damagedSegments(place: Place, options: AbortOptions): Promise<readonly DamagedSegment[]> {
  const found = new Map<string, Set<ContentId>>()
  let pending: ContentId[] = []
  for await (const step of place.objects.scrub(options)) {
    pending.push(...step.damaged)
    const names = step.findings.flatMap(({ code, subject }) =>
      DAMAGED_PACK.has(code) ? (segmentOf(subject) ?? []) : [],
    )
    for (const name of names) {
      const damaged = found.get(name) ?? new Set()
      found.set(name, damaged)
      for (const id of pending) damaged.add(id)
    }
    // Ids may come a step before the finding that names their segment.
    if (names.length > 0) pending = []
  }
  return [...found].map(([name, damaged]) => ({ name, damaged: [...damaged] }))
}

/** A newer version's file is none of ours to touch, and what was never acknowledged is no damage. */
const DAMAGED_PACK: ReadonlySet<string> = new Set(['CAS_CORRUPT', 'CAS_MISSING'])

/** What a scrub found to be damaged; a damaged copy of what has a sound one elsewhere counts too, as it can be cleared away. */
function allOf({ damaged, notes }: ScrubReport): readonly Damage[] {
  const copies = notes.filter(({ code }) => DAMAGED_PACK.has(code))
  return [...damaged, ...copies.map((note) => ({ ...note, subject: note.subject ?? '', names: [] }))]
}

function isSound(report: ScrubReport): boolean {
  return allOf(report).length === 0
}

function keyOf({ code, subject }: Damage): string {
  return `${code} ${subject}`
}
