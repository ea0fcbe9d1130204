import { join } from 'node:path'
import {
  type AbortOptions,
  type Clock,
  decode,
  encode,
  type Finding,
  link,
  type Random,
  systemClock,
  systemRandom,
  toHex,
  VaultError,
  type VaultId,
} from '@vault/core'
import type { SoupStore, Tenure } from '@vault/soup'
import { compareStanding } from './check-standing.ts'
import { listChanged } from './checksums.ts'
import { currentTenure } from './current-tenure.ts'
import { writeDurably } from './durable-file.ts'
import { createPlaceKey } from './keystore.ts'
import { Marks } from './marks.ts'
import { noVault } from './open.ts'
import { openPlace, PLACE_FILE, type Place, type PlaceInfo, placeFileText } from './place.ts'
import { VaultLog } from './vault-log.ts'

/** The type of the document that explains the tenure of a restored backup. */
const RESTORED = 'vault-restored'

/** The `code` of the errors about restored backups. */
export type RestoreErrorCode =
  /** The folder is as far as the vault was ever seen to be there: it is no old copy. `details.dir`. */
  | 'VAULT_NOT_BEHIND'
  /**
   * Nothing is known here of how far the vault was, and nothing in the folder shows that it is an old copy: it may be the
   * only one that there is. `details.dir`.
   */
  | 'VAULT_MARK_UNKNOWN'

/** What becomes of a backup that was put back. */
export interface RestoredBackup {
  readonly vault: VaultId
  /** The place as it is called from now on. */
  readonly place: PlaceInfo
  readonly tenure: Tenure
  /** Entries of the audit log that are here. */
  readonly size: number
  /** In what it is behind, or other than, what was seen here. */
  readonly findings: readonly Finding[]
  /** What was seen here and is not here any more; `undefined` where no mark is kept on this machine. */
  readonly lost?: { readonly changes: number; readonly entries: number }
}

export interface RestoreOptions extends AbortOptions {
  /** See `OpenOptions.stateDir`. */
  readonly stateDir?: string
  /** Takes the word of the caller where no mark says that it is an old copy. Default: `false`. */
  readonly withoutMark?: boolean
  readonly clock?: Clock
  readonly random?: Random
}

/**
 * Says that the folder is an old copy of a vault, put back on purpose. The place gets a new instance id and key, so that it is taken
 * for no other, and the vault becomes a replica in it: it can be read, verified, and received again from where it is
 * active, and is never written as if nothing had happened, because its newest changes, and another copy that goes on, may be
 * elsewhere. What was handed off, or is half received, stays so. Again after a crash it goes on.
 *
 * Throws `VAULT_NOT_BEHIND` where this machine knows that nothing is missing, `VAULT_MARK_UNKNOWN` where it knows nothing, and
 * what opening the place throws.
 */
export async function restoreFromBackup(dir: string, options: RestoreOptions = {}): Promise<RestoredBackup> {
  const { stateDir, withoutMark = false, random = systemRandom, clock = systemClock, signal } = options
  await using place = await openPlace(dir, { mode: 'write' })
  const { soups } = place
  const current = await currentTenure(soups)
  if (current === undefined) throw noVault(place)
  const { vault } = current
  const log = new VaultLog({ vault, dir: place.dir, soups, clock, writable: true })
  const marks = stateDir && new Marks({ stateDir, instance: place.info.instance, warn: () => {} })
  const parts = { vault, dir: place.dir, soups, log, marks: marks || undefined }
  const { findings, found, seen } = await compareStanding(parts, { mode: 'read' }, { signal })
  if (findings.length === 0 && !(await isRestored(soups, vault, { signal }))) {
    if (seen !== undefined && seen.size > 0) throw notBehind(place)
    if (!withoutMark) throw markUnknown(place)
  }
  await log.drain()
  const document = { instance: place.info.instance, at: Math.floor(clock().getTime() / 1000) }
  const tenure = await stepBack(soups, found.tenure, { document, migration: toHex(random(16)) }, { signal })
  const info = await renewPlace(place, random)
  const mark = seen?.get(vault)?.mark
  const { size } = await log.read({ signal })
  const lost = mark && {
    changes: Math.max(0, mark.sequence - found.tenure.sequence),
    entries: Math.max(0, mark.size - size),
  }
  return { vault, place: info, tenure, size, findings, ...(lost && { lost }) }
}

/** What could be active, now or by a hand-off, is so no more, in the epoch it had: the vault of that epoch may come back. */
async function stepBack(
  { tenures }: SoupStore,
  { vault, state, epoch, sequence, events }: Tenure,
  { document, migration }: { readonly document: Readonly<Record<string, unknown>>; readonly migration: string },
  options: AbortOptions,
): Promise<Tenure> {
  if (state === 'quiesced') await tenures.transition(vault, { state, epoch }, { state: 'active', epoch }, options)
  if (state === 'active' || state === 'quiesced' || state === 'prepared') {
    const evidence = encode({ type: RESTORED, v: 1, vault: link(vault), epoch, sequence, events, ...document })
    const from = { state: state === 'prepared' ? state : 'active', epoch, events } as const
    await tenures.transition(vault, from, { state: 'replica', epoch, migration, evidence }, options)
  }
  return await tenures.read(vault, options)
}

/** Whether an earlier call came as far as the tenure, but perhaps not to its end. */
async function isRestored({ tenures }: SoupStore, vault: VaultId, options: AbortOptions): Promise<boolean> {
  const evidence = await tenures.evidence(vault, options)
  if (evidence === undefined || (await tenures.read(vault, options)).state !== 'replica') return false
  const document = decode(evidence, { maxBytes: 64 * 1024, maxDepth: 16 })
  return typeof document === 'object' && document !== null && 'type' in document && document.type === RESTORED
}

/** A new instance id and key, under which nothing that is meant for the place it was copied from is taken. */
async function renewPlace({ dir }: Place, random: Random): Promise<PlaceInfo> {
  const info: PlaceInfo = { instance: toHex(random(16)), key: await createPlaceKey(dir) }
  await writeDurably(join(dir, PLACE_FILE), placeFileText(info))
  await listChanged(dir, PLACE_FILE)
  return info
}

function notBehind({ dir }: Place): VaultError<RestoreErrorCode> {
  return new VaultError({
    code: 'VAULT_NOT_BEHIND',
    message: `Nothing is missing from ${dir}: it is as far as it was ever seen to be here. It was left as it is.`,
    details: { dir },
  })
}

function markUnknown({ dir }: Place): VaultError<RestoreErrorCode> {
  return new VaultError({
    code: 'VAULT_MARK_UNKNOWN',
    message: `Nothing shows that ${dir} is an old copy: how far it was is not known on this machine, and its log is whole. It was left as it is. If it is an old copy all the same, say so (withoutMark, --without-mark); the only copy of a vault could never be changed again.`,
    details: { dir },
  })
}
