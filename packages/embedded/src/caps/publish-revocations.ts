import { type AbortOptions, type ContentId, VaultError } from '@vault/core'
import { createRevocationSet, openRevocation, openRevocationSet, principalText, vaultPrincipal } from '@vault/spki-caps'
import type { VaultChange } from '../recorder.ts'
import { bringing, revocationSetEntry } from './cap-entry.ts'
import type { CapIssuer } from './issue-cap.ts'
import type { CapEntryErrorCode } from './revoke-cap.ts'
import type { VaultCaps } from './vault-caps.ts'

/** A set of revocations that was published, and how long it is the present one. */
export interface PublishedRevocations {
  readonly id: ContentId
  readonly from: Date
  readonly until: Date
  readonly revocations: number
}

/**
 * Signs that these are all revocations of the vault, up to a time, and gives the change that brings it into the vault. It follows on the last
 * set by present keys, if that still counts then. Throws `CAPS_SET_ENDS` where it would end before it begins.
 */
export async function draftRevocationSet(
  caps: VaultCaps,
  until: Date,
  { issuer, signers }: CapIssuer,
  options: AbortOptions,
): Promise<PublishedRevocations & { readonly change: VaultChange }> {
  const { clock, soup, vault } = caps.parts
  const { seq } = await caps.keys(options)
  const { revocations: kept, sets, view } = await caps.revocations(options)
  const last = view.latest(principalText(vaultPrincipal(vault)))
  const previous = [...sets.values()]
    .flatMap((envelope) => envelope ?? [])
    .map(openRevocationSet)
    .find(({ record }) => record.seq === last?.seq && record.epoch === last.epoch && record.from === last.from)
  const now = clock()
  const from = previous === undefined ? now : new Date(Math.max(now.getTime(), previous.record.next * 1000))
  if (until.getTime() - from.getTime() < 1000) throw endsTooEarly(from, until)
  const refused = new Set(view.unusable.map(({ subject }) => subject))
  const revocations = [...kept.values()]
    .flatMap((envelope) => (envelope === undefined ? [] : openRevocation(envelope).id))
    // A set that lists one that does not count would not count itself.
    .filter((id) => !refused.has(id))
  const draft = { issuer, epoch: seq, ...(previous && { previous }), from, next: until, revocations }
  const envelope = await createRevocationSet(draft, signers, options)
  const { id } = openRevocationSet(envelope)
  const change = await bringing([revocationSetEntry(envelope)], soup, options)
  return { id, from, until, revocations: revocations.length, change }
}

function endsTooEarly(from: Date, until: Date): VaultError<CapEntryErrorCode> {
  return new VaultError({
    code: 'CAPS_SET_ENDS',
    message: `A set of revocations that begins at ${from.toISOString()} cannot end at ${until.toISOString()}: name a later end.`,
    details: { from: from.toISOString(), until: until.toISOString() },
  })
}
