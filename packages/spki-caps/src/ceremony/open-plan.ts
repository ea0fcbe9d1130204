import type { Bytes, ContentId, KeyId, KeyState, Threshold, VaultId } from '@vault/core'
import {
  contentId,
  countSigners,
  decodeEnvelope,
  inceptionPayload,
  isVaultError,
  keyEventPayload,
  keysNewIn,
  keysOf,
  VaultError,
  verifyKeyHistory,
} from '@vault/core'
import type { CeremonyErrorCode } from './error.ts'
import { checkPlan, planInvalid } from './error.ts'
import type { CeremonyPlan, KeyFounding, KeySplit } from './plan.ts'
import { decodePlan, PLAN } from './plan.ts'

/** A plan that was read and verified: it could be carried out. */
export interface OpenPlan {
  /** What every document of the ceremony names. */
  readonly id: ContentId
  readonly plan: CeremonyPlan
  readonly event?: PlannedEvent
}

/** The key event that a plan describes. */
export interface PlannedEvent {
  readonly vault: VaultId
  readonly seq: number
  /** The keys of the vault before it; absent where it founds the vault. */
  readonly before?: KeyState
  /** What its members sign. */
  readonly payload: Bytes
  /** The keys that are new in a role: each must sign. */
  readonly introduced: readonly KeyId[]
}

/** What says who has which part. */
type PlanParts = Pick<CeremonyPlan, 'nonce' | 'change' | 'created' | 'splits' | 'witnesses' | 'proposer'>

interface PlannedParts {
  readonly plan: PlanParts
  readonly event?: PlannedEvent
}

/** The plan in these bytes. Throws `CEREMONY_PLAN_INVALID`. */
export function openPlan(bytes: Uint8Array): OpenPlan {
  try {
    const envelope = decodeEnvelope(bytes)
    const { id, record: plan } = decodePlan(envelope)
    countSigners(envelope, PLAN, { keys: [plan.proposer], threshold: 1 })
    const event = plannedEvent(plan)
    const open = { id, plan, ...(event === undefined ? {} : { event }) }
    checkParts(open)
    return open
  } catch (cause) {
    if (!isVaultError(cause) || cause.code === 'CEREMONY_PLAN_INVALID') throw cause
    throw planInvalid(cause.message, cause)
  }
}

function plannedEvent({ change, created, nonce, splits }: PlanParts): PlannedEvent | undefined {
  if (change === null) return undefined
  const at = new Date(created * 1000)
  if (change.why === 'inception') return plannedInception(change, { nonce, at })
  const { history, why, roles, context } = change
  const before = verifyKeyHistory(history.map((event) => decodeEnvelope(event)))
  const introduced = keysNewIn(roles, before.roles)
  const isSame = introduced.length === 0 && JSON.stringify(roles) === JSON.stringify(before.roles)
  checkPlan(
    !isSame || why === 'reshare' || why === 'retire',
    'the roles that it describes are those that the vault has',
  )
  checkPlan(
    why !== 'reshare' || splits.some(({ key }) => keysOf(roles).includes(key)),
    'it is to share out a key of the vault anew, and splits none',
  )
  const payload = keyEventPayload({ history: before, why, roles, at, ...(context && { context }) })
  const { vault, seq } = before
  // Those of a move sign at the place that receives.
  return { vault, seq: seq + 1, before, introduced: why === 'migrate' ? [] : introduced, payload }
}

function plannedInception(
  { roles, content }: KeyFounding,
  { nonce, at }: { readonly nonce: Bytes; readonly at: Date },
): PlannedEvent {
  // Its secret lies at one place. With several, the vault could be begun at several.
  checkPlan(roles.log.keys.length === 1, 'a vault is founded with one log key, that of the place where it begins')
  const payload = inceptionPayload({ roles, content, nonce, at })
  const vault = contentId(payload, { hash: 'sha2-256', codec: 'dag-cbor' })
  return { vault, seq: 0, introduced: keysOf(roles), payload }
}

function checkParts(open: OpenPlan): void {
  const { plan, event } = open
  checkPlan(event !== undefined || plan.splits.length > 0, 'it neither replaces keys nor splits one')
  checkPlan(plan.created < plan.expires, 'it expires before it was made')
  const involved = new Set([...contributorsOf(open), ...holdersOf(plan), plan.proposer])
  checkPlan(
    plan.witnesses.keys.every((key) => !involved.has(key)),
    'a witness has another part in it, and would attest its own doing',
  )
  const parts = new Set([...involved, ...plan.witnesses.keys])
  checkPlan(
    plan.members.length === parts.size && plan.members.every(({ key }) => parts.has(key)),
    'its members are not those who have a part in it',
  )
}

/** Everybody who has a part in a plan. Throws `KEY_EVENT_INVALID` where its history is none. */
export function partsOf(plan: PlanParts): ReadonlySet<KeyId> {
  const event = plannedEvent(plan)
  const contributors = contributorsOf({ plan, ...(event && { event }) })
  return new Set([...contributors, ...holdersOf(plan), ...plan.witnesses.keys, plan.proposer])
}

/** Everybody who may contribute: by signing the key event, or by splitting a key. */
export function contributorsOf({ plan, event }: PlannedParts): ReadonlySet<KeyId> {
  const signers = event === undefined ? [] : eventSigners(plan, event)
  return new Set([...signers, ...plan.splits.map(({ key }) => key)])
}

/** Whether a key may sign the key event: of the identity before or after it, or new in a role. */
export function signsEvent({ plan, event }: PlannedParts, key: KeyId): boolean {
  return event !== undefined && eventSigners(plan, event).includes(key)
}

function eventSigners({ change }: PlanParts, { before, introduced }: PlannedEvent): readonly KeyId[] {
  const identity = [...(before?.roles.identity.keys ?? []), ...(identityAfter(change)?.keys ?? [])]
  return [...identity, ...introduced, ...(before?.witnesses.keys ?? [])]
}

/** The identity that follows, where it signs in the ceremony: that of a move signs at the place that receives. */
export function identityAfter(change: CeremonyPlan['change']): Threshold | undefined {
  return change === null || change.why === 'migrate' ? undefined : change.roles.identity
}

export function holdersOf({ splits }: Pick<CeremonyPlan, 'splits'>): ReadonlySet<KeyId> {
  return new Set(splits.flatMap(({ holders }) => holders.map(({ key }) => key)))
}

/** The splits of which this key holds a share, in the order of the plan. */
export function splitsHeldBy({ splits }: CeremonyPlan, holder: KeyId): readonly KeySplit[] {
  return splits.filter(({ holders }) => holders.some(({ key }) => key === holder))
}

/** What people call a key of a plan, or the key itself. */
export function nameIn({ members }: CeremonyPlan, key: KeyId): string {
  return members.find((member) => member.key === key)?.name ?? key
}

/** Throws `CEREMONY_EXPIRED` where it is not the time of the ceremony. */
export function checkTime({ created, expires }: CeremonyPlan, now: Date): void {
  if (isTimely({ created, expires }, Math.floor(now.getTime() / 1000))) return
  const text = (seconds: number) => new Date(seconds * 1000).toISOString()
  throw new VaultError<CeremonyErrorCode>({
    code: 'CEREMONY_EXPIRED',
    message: `The ceremony is from ${text(created)} to ${text(expires)}, and it is ${now.toISOString()}: set the clock, or plan another.`,
    details: { created, expires },
  })
}

export function isTimely({ created, expires }: Pick<CeremonyPlan, 'created' | 'expires'>, at: number): boolean {
  return at >= created && at <= expires
}
