import { join } from 'node:path'
import { createMemoryCas } from '@vault/cas'
import type { AbortOptions, KeyId, VaultId } from '@vault/core'
import {
  type AbandonableTarget,
  activeVaultTarget,
  type ScreeningTarget,
  soupStoreSource,
  soupStoreTarget,
  sourceWithTrail,
  type TrailSource,
  type TrailTarget,
  targetWithTrail,
} from '@vault/migration'
import { type Change, createMemorySoupStore, type Soup } from '@vault/soup'
import { openFsLogStore } from '@vault/store-fs'
import type { Act } from './act.ts'
import { screenPart } from './caps/cap-entry.ts'
import { checkVacant, createPlace } from './create-place.ts'
import { findPlace, openPlace, type Place } from './place.ts'
import type { Vault } from './vault.ts'
import { LOG_FOLDER } from './vault-log.ts'

/** An open vault as the source of a migration, with its audit trail. */
export function sourceOf({ place, id }: Vault): TrailSource {
  return sourceAt(place, id)
}

/** A vault of an open place as the source of a copy, with its audit trail. */
export function sourceAt(place: Place, vault: VaultId): TrailSource {
  const { dir, objects, soups } = place
  const source = soupStoreSource({ vault, label: dir, objects, store: soups })
  const log = (options?: AbortOptions) => openFsLogStore({ dir: join(dir, LOG_FOLDER, vault), mode: 'read' }, options)
  return sourceWithTrail(source, { log, soup: soups.soup(vault) })
}

/**
 * An open, active vault as the target of a part of another one: each change that comes in has its entry in the audit log. The certificates
 * of another vault are no part of this one: {@link screenPart}.
 */
export function partTargetOf(vault: Vault): ScreeningTarget {
  const { place, soup } = vault
  const target = (commit: Soup['commit']) =>
    activeVaultTarget({ label: place.dir, objects: place.objects, soup: { ...soup, commit } })
  return {
    ...target(soup.commit),
    screen: screenPart,
    receive({ migration, ...offer }, options) {
      const act: Act = { verb: 'receive', motivation: `part of the vault ${offer.vault}, migration ${migration}` }
      const recorded = target(async (change, abort) => {
        // Of a run that is repeated nothing may be left to do.
        if (isNothing(change)) return await soup.commit(change, abort)
        const { epoch: _, ...content } = change
        return await vault.commit(content, { ...abort, ...act })
      })
      return recorded.receive({ migration, ...offer }, options)
    },
  }
}

/** A target that must be closed. */
export interface OpenTarget extends AbandonableTarget, AsyncDisposable {
  /** 32 hexadecimal digits, and the key of the place; absent where there is none yet. */
  readonly instance?: string
  readonly key?: KeyId
}

/**
 * The folder as a target, which keeps the audit trail, too; a place is made in it where there is none. Throws `VAULT_EXISTS` where it has other files, and
 * `VAULT_INACCESSIBLE`.
 */
export async function openTarget(dir: string): Promise<OpenTarget> {
  return ownTarget(await openOrCreatePlace(dir))
}

/** An open place as the target of copies, which keeps the audit trail, too. */
export function targetAt({ dir, objects, soups }: Place): AbandonableTarget & TrailTarget {
  return targetWithTrail(soupStoreTarget({ label: dir, objects, store: soups }), {
    log: (vault, options) => openFsLogStore({ dir: join(dir, LOG_FOLDER, vault), mode: 'write' }, options),
    tenures: soups.tenures,
  })
}

/** The place in a folder, for writing; made where there is none. Throws `VAULT_EXISTS`, `VAULT_INACCESSIBLE`. */
export async function openOrCreatePlace(dir: string): Promise<Place> {
  if ((await findPlace(dir)) === undefined) {
    await createPlace(dir).catch(async (error: unknown) => {
      // Another process may have been faster.
      if ((await findPlace(dir)) === undefined) throw error
    })
  }
  return await openPlace(dir, { mode: 'write' })
}

/**
 * The folder as a target that is only looked at: one that does not exist yet, or is empty, looks like an empty place.
 * Throws `VAULT_EXISTS`, `VAULT_INACCESSIBLE`.
 */
export async function lookAtTarget(dir: string): Promise<OpenTarget> {
  if ((await findPlace(dir)) !== undefined) return ownTarget(await openPlace(dir, { mode: 'read' }))
  await checkVacant(dir)
  const target = soupStoreTarget({ label: dir, objects: createMemoryCas(), store: createMemorySoupStore() })
  return { ...target, async [Symbol.asyncDispose]() {} }
}

/** The target closes the place with itself. */
function ownTarget(place: Place): OpenTarget {
  return { ...targetAt(place), ...place.info, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() }
}

function isNothing({ objects = {}, entries = {}, refs = {} }: Change): boolean {
  const lists = [objects.add, objects.release, entries.put, entries.remove, Object.keys(refs)]
  return lists.every((list = []) => list.length === 0)
}
