import type { AbortOptions, Bytes, Envelope, KeyId, Signer } from '@vault/core'
import { link, signedMessage, VaultError } from '@vault/core'
import { secondsOf } from '../record.ts'
import { signAttestation } from './attestation.ts'
import type { Commit } from './commit.ts'
import { commitOf } from './commit.ts'
import type { SealedShares } from './contribution.ts'
import { signContribution } from './contribution.ts'
import type { CeremonyErrorCode } from './error.ts'
import type { Software } from './field.ts'
import { checkTime, contributorsOf, signsEvent, splitsHeldBy } from './open-plan.ts'
import { owedWords } from './owed-words.ts'
import type { KeySplit } from './plan.ts'
import type { Ceremony } from './read-ceremony.ts'
import type { ReceivedShare } from './receipt.ts'
import { signReceipt } from './receipt.ts'

/** What one key may do now for a ceremony, and what it has yet to wait for. */
export interface Part {
  readonly contribute: boolean
  /** Where the contribution takes shares: how its key is to be split. */
  readonly split?: KeySplit
  /** The shares to be acknowledged, all at once. */
  readonly acknowledge: readonly KeySplit[]
  readonly attest: boolean
  /** Of whom something must come first, for the acknowledgement. */
  readonly awaits: readonly KeyId[]
}

/** What a key owes, or may do: nothing of it where it is done. */
export function partOf(ceremony: Ceremony, key: KeyId): Part {
  const { plan, contributions, receipts, attestations, commit } = ceremony
  const contribute = commit === undefined && contributorsOf(ceremony).has(key) && !contributions.has(key)
  const held = commit === undefined && !receipts.has(key) ? splitsHeldBy(plan, key) : []
  const awaits = held.map(({ key: of }) => of).filter((of) => !contributions.has(of))
  const split = contribute ? plan.splits.find((each) => each.key === key) : undefined
  return {
    contribute,
    ...(split && { split }),
    acknowledge: awaits.length === 0 ? held : [],
    attest: commit !== undefined && plan.witnesses.keys.includes(key) && !attestations.has(key),
    awaits,
  }
}

/** When something is done, and with which program. */
export interface Circumstance {
  readonly now: Date
  readonly software: Software
}

/** What a member gives. Throws `CEREMONY_EXPIRED`, and `CEREMONY_REFUSED` where files were refused. */
export async function contribute(
  ceremony: Ceremony,
  signer: Signer,
  { now, software, shares = null }: Circumstance & { readonly shares?: SealedShares | null },
  options?: AbortOptions,
): Promise<Envelope> {
  checkGoing(ceremony, now)
  const event = signsEvent(ceremony, signer.key) ? await eventSignature(ceremony, signer, options) : null
  return await signContribution(
    { plan: link(ceremony.id), key: signer.key, event, shares, software, at: secondsOf(now) },
    signer,
    options,
  )
}

/** What a holder says who keeps his shares. Throws as {@link contribute}. */
export async function acknowledge(
  ceremony: Ceremony,
  signer: Signer,
  { now, shares }: { readonly now: Date; readonly shares: readonly ReceivedShare[] },
  options?: AbortOptions,
): Promise<Envelope> {
  checkGoing(ceremony, now)
  return await signReceipt({ plan: link(ceremony.id), key: signer.key, shares, at: secondsOf(now) }, signer, options)
}

/** What a witness says of a ceremony that was committed. Throws as {@link contribute}. */
export async function attest(
  ceremony: Ceremony & { readonly commit: Commit },
  signer: Signer,
  { now }: { readonly now: Date },
  options?: AbortOptions,
): Promise<Envelope> {
  checkGoing(ceremony, now)
  const { id, commit } = ceremony
  const said = { plan: link(id), transcript: link(commit.id), key: signer.key, at: secondsOf(now) }
  return await signAttestation(said, signer, options)
}

/**
 * The commit of a ceremony to which all has been given. Throws `CEREMONY_INCOMPLETE`, and as {@link contribute}: until then
 * everything is as it was before.
 */
export function commitCeremony(ceremony: Ceremony, now: Date): Commit {
  if (ceremony.commit !== undefined) return ceremony.commit
  checkGoing(ceremony, now)
  if (ceremony.owed.length > 0) throw incomplete(ceremony)
  return commitOf(ceremony, ceremony)
}

/** Throws `CEREMONY_REFUSED` where files were refused. */
export function checkUntouched({ findings }: Ceremony): void {
  if (findings.length === 0) return
  throw new VaultError<CeremonyErrorCode>({
    code: 'CEREMONY_REFUSED',
    message: `Files of the ceremony are refused, and nothing goes on before they are looked at and taken away: ${findings.map(({ message }) => message).join(' ')}`,
    details: { findings },
  })
}

/**
 * The commit of a ceremony that is complete: attested by as many witnesses as the plan asks for. Throws `CEREMONY_INCOMPLETE`, and
 * `CEREMONY_REFUSED` where files were refused.
 */
export function completeCommit(ceremony: Ceremony): Commit {
  checkUntouched(ceremony)
  if (ceremony.commit === undefined || ceremony.owed.length > 0) throw incomplete(ceremony)
  return ceremony.commit
}

function incomplete({ plan, owed }: Ceremony): VaultError<CeremonyErrorCode> {
  return new VaultError({
    code: 'CEREMONY_INCOMPLETE',
    message: `The ceremony is not complete, and what was before still counts. It lacks: ${owedWords(plan, owed).join('; ') || 'the commit'}.`,
    details: { owed },
  })
}

function checkGoing(ceremony: Ceremony, now: Date): void {
  checkUntouched(ceremony)
  checkTime(ceremony.plan, now)
}

async function eventSignature({ event }: Ceremony, signer: Signer, options?: AbortOptions): Promise<Bytes | null> {
  return event === undefined ? null : await signer.sign(signedMessage('key', event.payload), options)
}
