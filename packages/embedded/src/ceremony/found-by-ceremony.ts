import {
  type AbortOptions,
  type Clock,
  type Random,
  systemClock,
  systemRandom,
  VaultError,
  type VaultId,
} from '@vault/core'
import { completeCommit } from '@vault/spki-caps/ceremony'
import { beginVault } from '../begin-vault.ts'
import { openPlace, type Place, type PlaceErrorCode } from '../place.ts'
import { VaultLog } from '../vault-log.ts'
import { type AdoptCeremonyErrorCode, checkLogKey } from './adopt-ceremony.ts'
import type { CeremonyFolder } from './ceremony-folder.ts'

/**
 * Makes the vault that a complete ceremony founds, in a place that has the log key of the plan and no other vault. None of its other
 * keys need to lie there. Done again it changes nothing, also where the vault has been moved away since.
 *
 * Throws `CEREMONY_INCOMPLETE`, `CEREMONY_REFUSED`, `CEREMONY_OTHER_VAULT` where the ceremony founds none, `CEREMONY_LOG_KEY_MISSING`,
 * `KEY_DAMAGED`, `VAULT_EXISTS`, and what the folder and the place throw.
 */
export async function foundByCeremony(
  dir: string,
  folder: CeremonyFolder,
  options: AbortOptions & { readonly clock?: Clock; readonly random?: Random } = {},
): Promise<VaultId> {
  const { clock = systemClock, random = systemRandom, ...abort } = options
  const ceremony = await folder.read()
  const { id, keyEvent } = completeCommit(ceremony)
  const { event, plan } = ceremony
  if (event === undefined || event.before !== undefined || keyEvent === undefined) throw foundsNone(event?.vault)
  const { vault } = event
  await using place = await openPlace(dir, { mode: 'write' })
  const isThere = await checkAlone(place, vault, abort)
  if (!isThere) {
    await checkLogKey(place, plan)
    await beginVault(keyEvent, { soups: place.soups, clock, random, ceremony: id }, abort)
  }
  const { state } = await place.soups.tenures.read(vault, abort)
  if (state === 'active')
    await new VaultLog({ vault, dir: place.dir, soups: place.soups, clock, writable: true }).drain()
  return vault
}

/** Whether the vault was begun here already. Throws `VAULT_EXISTS` where another one is. */
async function checkAlone({ dir, soups }: Place, vault: VaultId, options: AbortOptions): Promise<boolean> {
  const tenures = (await soups.tenures.list(options)).filter(({ state }) => state !== 'none')
  const other = tenures.find((tenure) => tenure.vault !== vault)
  if (other === undefined) return tenures.length > 0
  throw new VaultError<PlaceErrorCode>({
    code: 'VAULT_EXISTS',
    message: `The place in ${dir} has the vault ${other.vault}: found another one in a folder of its own.`,
    details: { dir },
  })
}

function foundsNone(vault: VaultId | undefined): VaultError<AdoptCeremonyErrorCode> {
  return new VaultError({
    code: 'CEREMONY_OTHER_VAULT',
    message: `The ceremony founds no vault; it is about ${vault === undefined ? 'the keys of none' : `the vault ${vault}`}.`,
    details: { vault: vault ?? null },
  })
}
