import type { AbortOptions, Bytes, ContentId, KeyId, KeyState, Roles } from '@vault/core'
import { copyBytes, decodeEnvelope, encodeEnvelope, link, verifyKeyHistory } from '@vault/core'
import type { Tenure } from '@vault/soup'
import type { Acceptance } from '../records/acceptance.ts'
import { signAcceptance } from '../records/acceptance.ts'
import { newRoles } from '../records/roles-rule.ts'
import { soupStoreTarget } from '../store-endpoint.ts'
import { dropPassed } from './drop-passed.ts'
import { giveBack } from './give-back.ts'
import type { MoveOffer } from './move-endpoint.ts'
import { refuseDeclined } from './refuse-declined.ts'
import type { Seat } from './seat.ts'
import { seatSeconds } from './seat.ts'
import type { Accepted, TargetRecords } from './target-records.ts'
import { refused, stillAwaited } from './target-refusal.ts'
import { requireLater } from './target-tenure.ts'

const RECEIVABLE: ReadonlySet<string> = new Set(['none', 'retired', 'replica'])

/** Signs that a vault will be received, and under which keys; from then on it is receiving. Said once, and the same whenever it is asked again. */
export async function acceptMove(
  seat: Seat,
  records: TargetRecords,
  offer: MoveOffer,
  options?: AbortOptions,
): Promise<Bytes> {
  const { vault, migration, driver } = offer
  const { label, store } = seat
  const { tenures } = store
  await refuseDeclined(label, records, migration, options)
  await dropPassed(seat, records, offer, options)
  const accepted = (await records.accepted(vault, migration, options)) ?? (await begin(seat, records, offer, options))
  if ((await tenures.read(vault, options)).migration !== migration) {
    // The vault may have been here between the acceptance and now.
    const tenure = await receivable(seat, offer, accepted, options)
    // They go on from those that are here, so giving up need not go back to these.
    const { keyEvents, epoch } = accepted
    const to = { state: 'receiving', epoch, migration, driver, keyEvents } as const
    await tenures.transition(vault, tenure, to, options)
    if ((await records.declined(migration, options)) !== undefined) {
      await giveBack(store, records, { vault, migration }, options)
    }
    await refuseDeclined(label, records, migration, options)
  }
  return accepted.acceptance
}

async function begin(seat: Seat, records: TargetRecords, offer: MoveOffer, options?: AbortOptions): Promise<Accepted> {
  const { vault, migration, plan, keys, epoch } = offer
  const { label, instance, place, store, random } = seat
  const { tenures } = store
  const history = verifyKeyHistory(offer.keyEvents.map((bytes) => decodeEnvelope(bytes)))
  if (history.vault !== vault) throw refused(label, await tenures.read(vault, options), migration)
  await receivable(seat, offer, offer, options)
  const acceptance: Acceptance = {
    type: 'migration-acceptance',
    v: 1,
    vault: link(vault),
    migration,
    plan: link(plan),
    instance,
    place: place.key,
    roles: await rolesFor(seat, history, keys, options),
    nonce: copyBytes(random(32)),
    at: seatSeconds(seat),
  }
  const envelope = encodeEnvelope(await signAcceptance(acceptance, place, options))
  const evidence = (await tenures.evidence(vault, options)) ?? null
  const accepted = { acceptance: envelope, keyEvents: offer.keyEvents, epoch, evidence }
  return await records.accept(vault, migration, accepted, options)
}

/** The tenure, where what is offered goes on from it. */
async function receivable(
  { label, objects, store }: Seat,
  { vault, migration }: { readonly vault: ContentId; readonly migration: string },
  { keyEvents, epoch }: Pick<MoveOffer, 'keyEvents' | 'epoch'>,
  options?: AbortOptions,
): Promise<Tenure> {
  const { tenure } = await soupStoreTarget({ label, objects, store }).look(vault, options)
  if (tenure.state === 'prepared') throw stillAwaited(label, tenure, migration)
  if (!RECEIVABLE.has(tenure.state)) throw refused(label, tenure, migration)
  await requireLater({ label, store }, tenure, { migration, keyEvents, epoch }, options)
  return tenure
}

/** Those of now, but for the roles that get keys made here. */
async function rolesFor(
  { keys: own }: Seat,
  history: KeyState,
  keys: MoveOffer['keys'],
  options?: AbortOptions,
): Promise<Roles> {
  const made: Partial<Record<keyof Roles, KeyId>> = await own.create(newRoles(keys), options)
  const role = (name: keyof Roles) => {
    const key = made[name]
    return key === undefined ? history.roles[name] : { keys: [key], threshold: 1 }
  }
  return { identity: role('identity'), operators: role('operators'), log: role('log') }
}
