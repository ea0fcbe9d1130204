import type { AuditActor } from '@vault/audit-chain'
import { type AbortOptions, type Clock, type KeyState, VaultError, type VaultId } from '@vault/core'
import { adoptKeyEvent } from '@vault/migration'
import { type Ceremony, type CeremonyPlan, completeCommit } from '@vault/spki-caps/ceremony'
import type { Reason } from '../act.ts'
import { hasKey, openKey } from '../keystore.ts'
import type { Place } from '../place.ts'
import { seatOf } from '../seat.ts'
import type { CeremonyFolder } from './ceremony-folder.ts'

/** The `code` of the errors about taking what came of a ceremony into a vault. */
export type AdoptCeremonyErrorCode =
  /** The ceremony is about the keys of another vault, or of none. `details.vault`. */
  | 'CEREMONY_OTHER_VAULT'
  /** The place holds none of the new log keys, so nothing could be written there any more. `details.keys`. */
  | 'CEREMONY_LOG_KEY_MISSING'

/** How what came of a ceremony is taken into a vault. */
export interface AdoptCeremonyOptions extends Reason {
  /** See `Adoption` of `@vault/migration`. */
  readonly withoutCertificate?: boolean
}

interface AdoptionParts {
  readonly vault: VaultId
  readonly place: Place
  readonly actor: AuditActor
  readonly clock: Clock
}

/**
 * Makes the key event of a complete ceremony one of the vault, with an entry in its audit log that names the ceremony. Done again it
 * changes nothing. Throws `CEREMONY_INCOMPLETE` also where witnesses still owe their attestations, `CEREMONY_REFUSED`,
 * `CEREMONY_OTHER_VAULT`, `CEREMONY_LOG_KEY_MISSING`, `KEY_DAMAGED`, and what `adoptKeyEvent` of `@vault/migration` throws.
 */
export async function adoptCeremony(
  { vault, place, actor, clock }: AdoptionParts,
  folder: CeremonyFolder,
  { motivation, withoutCertificate = false, signal }: AdoptCeremonyOptions & AbortOptions,
): Promise<KeyState> {
  const ceremony = await folder.read()
  const { id, keyEvent } = completeCommit(ceremony)
  const { event, plan } = ceremony
  if (event?.vault !== vault || keyEvent === undefined) throw otherVault(ceremony, vault)
  await checkLogKey(place, plan)
  const why = motivation === undefined ? {} : { motivation }
  const adoption = { vault, keyEvent, ceremony: id, withoutCertificate, ...why }
  return await adoptKeyEvent(await seatOf(place, { actor, clock }), adoption, { signal })
}

/** Throws `CEREMONY_LOG_KEY_MISSING`, `KEY_DAMAGED` unless the place can go on with the log. */
export async function checkLogKey({ dir }: Pick<Place, 'dir'>, { change }: CeremonyPlan): Promise<void> {
  const keys = change?.roles.log.keys ?? []
  for (const key of keys) {
    if ((await hasKey({ dir, role: 'log', key })) !== 'plain') continue
    await openKey({ dir, role: 'log', key })
    return
  }
  throw new VaultError<AdoptCeremonyErrorCode>({
    code: 'CEREMONY_LOG_KEY_MISSING',
    message: `The place in ${dir} holds none of the log keys that the vault would have: ${keys.join(', ')}. Plan with a log key that is made there.`,
    details: { keys },
  })
}

function otherVault({ event }: Ceremony, id: VaultId): VaultError<AdoptCeremonyErrorCode> {
  const about = event === undefined ? 'the keys of no vault' : `the vault ${event.vault}`
  return new VaultError({
    code: 'CEREMONY_OTHER_VAULT',
    message: `The ceremony is about ${about}, and the one here is ${id}.`,
    details: { vault: event?.vault ?? null },
  })
}
