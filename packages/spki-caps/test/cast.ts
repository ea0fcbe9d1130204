import type { Envelope, KeyState, Signer } from '@vault/core'
import { contentId } from '@vault/core'
import type { AuthorizeInput, Root } from '@vault/spki-caps'
import {
  createKeyDirectory,
  createRevocationSet,
  createRevocationView,
  thresholdPrincipal,
  vaultPrincipal,
} from '@vault/spki-caps'
import { ana, ben, cert, DAY, eva, keyStates, later, mia, ROOT, signer, tom } from './world.ts'

// Who stands where in the tests of verdicts: a council of three, a vault whose keys were replaced, a keeper of revocations.

const NO_KEYS = createKeyDirectory([])
export const trio = thresholdPrincipal(2, [ana.key, ben.key, eva.key])
export const council: Root = { ...ROOT, name: 'council', subject: trio }
export const kept: Root = { ...ROOT, revocations: tom.key }

/** What stands between a request and its answer. */
export interface Case {
  readonly request?: Envelope
  readonly proof: readonly Envelope[]
  readonly input?: Partial<AuthorizeInput>
}

export const viewOf = (revocations: readonly Envelope[], sets: readonly Envelope[] = []) =>
  createRevocationView({ revocations, sets, keys: NO_KEYS })

export const setOf = async (issuer: Signer, from: Date, next: Date, revocations: readonly Envelope[] = []) =>
  await createRevocationSet(
    {
      issuer: issuer.key,
      from,
      next,
      revocations: revocations.map(({ payload }) => contentId(payload, { hash: 'sha2-256', codec: 'dag-cbor' })),
    },
    [issuer],
  )

export const long = async (count: number): Promise<readonly Envelope[]> => {
  const people = [ana, ...Array.from({ length: count }, (_, i) => signer(`person ${i}`))]
  return await Promise.all(people.slice(1).map(({ key }, i) => cert(people[i] as Signer, key)))
}

export const states = await keyStates([{ operators: [mia] }, { operators: [tom] }])
export const lost = await keyStates([{ operators: [mia] }, { operators: [tom], why: 'recover' }])
export const house = vaultPrincipal((states[0] as KeyState).vault)
export const houseRoot: Root = { ...ROOT, name: 'house', subject: house }
export const knowing = (known: readonly KeyState[], at = known.length - 1) =>
  createKeyDirectory([known[at] as KeyState])
export const ofHouse = async (by: Signer, epoch: number, expires: Date | null = later(DAY)) =>
  await cert(by, ben.key, { issuer: house, epoch, expires })
