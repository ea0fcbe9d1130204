import {
  type AbortOptions,
  type Clock,
  type ContentId,
  type Envelope,
  encodeEnvelope,
  link,
  type Random,
  type VaultId,
  verifyInception,
} from '@vault/core'
import type { SoupStore } from '@vault/soup'
import { actEvent } from './change-event.ts'

/** The actor in the log where nobody else is named: who opened the place. */
export const OWNER = 'owner'

/** Where a vault begins. */
interface Beginning {
  readonly soups: Pick<SoupStore, 'tenures'>
  readonly clock: Clock
  readonly random: Random
  /** The transcript of the ceremony that founds it, for the log. */
  readonly ceremony?: ContentId
}

/** Makes a vault active in a place that has never had it, with the first entry of its log. Durable when it resolves. */
export async function beginVault(
  inception: Envelope,
  { soups, clock, random, ceremony }: Beginning,
  options?: AbortOptions,
): Promise<VaultId> {
  const { vault } = verifyInception(inception)
  const actor = { name: OWNER, proven: false }
  const act = { verb: 'vault-init', object: `vault:${vault}` }
  const parameters = { inception: link(vault), ...(ceremony === undefined ? {} : { ceremony: link(ceremony) }) }
  const event = actEvent({ vault, actor, clock, random }, act, parameters)
  const to = { state: 'active', epoch: 0, keyEvents: [encodeEnvelope(inception)], events: [event] } as const
  await soups.tenures.transition(vault, { state: 'none', epoch: 0 }, to, options)
  return vault
}
