import type { AbortOptions, VaultId } from '@vault/core'
import type { Tenure } from '@vault/soup'
import { countCapEntries } from './caps/count-cap-entries.ts'
import { type RevocationStanding, revocationStanding } from './caps/revocation-standing.ts'
import { makeAnew, rootCertificateKey } from './caps/root-certificate.ts'
import type { PlaceInfo } from './place.ts'
import type { Vault } from './vault.ts'

/** What a vault says of itself. */
export interface VaultStatus {
  readonly vault: VaultId
  readonly dir: string
  readonly place: PlaceInfo
  readonly tenure: Tenure
  /** Whether its key events, as they are known here, have come to their end. */
  readonly ended: boolean
  readonly objects: number
  readonly bytes: number
  /** All entries: names, what else was put as one, and what is kept for capabilities. */
  readonly entries: number
  /** Those of them that are not kept for capabilities: what somebody has named. */
  readonly names: number
  /** Certificates that are kept in the vault, whether they count or not. */
  readonly certificates: number
  readonly revocations: number
  /** The record of the place's root certificate where it cannot be read, and what to do: until then the key of the place only reads. */
  readonly damagedRoot?: { readonly record: string; readonly advice: string }
  /** How the last word on revocations stands; absent where none was ever published, and nobody waits for one. */
  readonly published?: RevocationStanding
  readonly log: {
    /** Entries of the audit log. */
    readonly size: number
    /** Events that were committed and are not in it yet. */
    readonly waiting: number
  }
}

/** What a vault says of itself, just now. */
export async function statusOf(vault: Vault, options: AbortOptions): Promise<VaultStatus> {
  const { id, place, soup } = vault
  const counts = await soup.view(async (view) => view.counts, options)
  const { dir, info } = place
  const { size } = await vault.log.read(options)
  const tenure = await soup.tenure(options)
  const log = { size, waiting: Math.max(0, tenure.events - size) }
  const { retired: ended } = await vault.keys(options)
  const { entries: kept, ...capabilities } = await countCapEntries(soup, options)
  // Another process may have added some since the others were counted.
  const names = Math.max(0, counts.entries - kept)
  const damagedRoot = await damagedRootOf(vault, options)
  const published = await revocationStanding(vault.caps, options)
  return {
    vault: id,
    dir,
    place: info,
    tenure,
    ended,
    ...counts,
    names,
    ...capabilities,
    ...(damagedRoot && { damagedRoot }),
    ...(published && { published }),
    log,
  }
}

async function damagedRootOf({ id, place, caps }: Vault, options: AbortOptions): Promise<VaultStatus['damagedRoot']> {
  if (await caps.isRootReadable(options)) return undefined
  return { record: rootCertificateKey(id), advice: makeAnew(place.dir) }
}
