import { join } from 'node:path'
import { type Finding, isVaultError, VaultError } from '@vault/core'
import type { SoupErrorCode } from '@vault/soup'
import { type ReclaimEvent, type ReclaimOptions, type ReclaimReport, reclaimSpace } from '@vault/transfer'
import type { Reason } from './act.ts'
import { currentTenure } from './current-tenure.ts'
import { freeSpace } from './free-space.ts'
import { givenUpIn } from './given-up.ts'
import { findPlace, openPlace, type Place } from './place.ts'
import { restoreReserve, returnReserve, useReserve } from './reserve.ts'
import type { Vault } from './vault.ts'

/**
 * Frees the bytes of a place that none of its vaults needs: see `reclaimSpace` of `@vault/transfer`. First reads every row that says
 * what is needed: where one is damaged or missing nothing is removed (`SOUP_CORRUPT`).
 */
export async function* reclaimPlace(
  { dir, objects, soups }: Place,
  options: ReclaimOptions,
): AsyncGenerator<ReclaimEvent, ReclaimReport> {
  for (const { vault } of await soups.tenures.list(options)) {
    for await (const finding of soups.soup(vault).check(options)) throw damagedSoup(finding)
  }
  const place = { objects, reclaim: soups.reclaim, freeBytes: () => freeBytesOf(join(dir, 'objects')) }
  let report: ReclaimReport | undefined
  for await (const event of reclaimSpace(place, options)) {
    if (event.type === 'report') report = event
    else yield event
  }
  if (report === undefined) throw new TypeError('Reclaiming ended without its report.')
  return report
}

/**
 * Reclaims the vault of a folder, also on a disk that is wholly full: then the room that the place keeps for that is used. `open` opens
 * the vault of `dir` as the caller wants it. Where the place holds none, what migrations had brought and gave up is freed, and no log tells of it.
 */
export async function* reclaimFolder(
  dir: string,
  open: () => Promise<Vault>,
  options: ReclaimOptions & Reason = {},
): AsyncGenerator<ReclaimEvent> {
  const place = options.dryRun === true ? undefined : await findPlace(dir)
  const usesReserve = place !== undefined && (await useReserve(place))
  try {
    await using held = await open().catch((error: unknown) => openEmpty(dir, options, error))
    if ('reclaim' in held) yield* held.reclaim(options)
    else {
      const report = yield* reclaimPlace(held, options)
      yield { type: 'report', ...report }
    }
  } finally {
    if (place !== undefined) await (usesReserve ? returnReserve(place) : restoreReserve(place))
  }
}

/** A place in which no vault was found, because it has given up what it had. */
async function openEmpty(dir: string, { dryRun = false, signal }: ReclaimOptions, error: unknown): Promise<Place> {
  if (!isVaultError(error, 'VAULT_NOT_FOUND')) throw error
  const place = await openPlace(dir, { mode: dryRun ? 'read' : 'write' })
  try {
    if ((await currentTenure(place.soups)) === undefined && (await givenUpIn(place, { signal })).length > 0)
      return place
    throw error
  } catch (cause) {
    await place[Symbol.asyncDispose]()
    throw cause
  }
}

/** What the audit log says of it. */
export function reclaimed({ segments, objects, bytesFreed }: ReclaimReport): Readonly<Record<string, number>> {
  return { segments, objects, bytes: bytesFreed }
}

/** Where that is not told, the store says when there is no room. */
async function freeBytesOf(dir: string): Promise<number> {
  const { bytes, isTold } = await freeSpace(dir)
  return isTold ? bytes : Number.POSITIVE_INFINITY
}

function damagedSoup(finding: Finding): VaultError<SoupErrorCode> {
  return new VaultError({
    code: 'SOUP_CORRUPT',
    message: `Nothing is removed, because what the vault needs cannot be told for certain: ${finding.message} Repair it first (vaultctl verify --repair).`,
    details: { finding },
  })
}
