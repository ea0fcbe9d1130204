import type { Bytes, ContentId, KeyEventSigners, KeyId, KeyState, VaultId } from '@vault/core'
import {
  contentId,
  countSigners,
  decodeEnvelope,
  encode,
  equalBytes,
  inceptionPayload,
  isVaultError,
  keyEventPayload,
  keyEventSigners,
  keyStateAfter,
  keysOf,
  reasonOf,
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
  /** The keys of the vault once it is signed; absent where it founds the vault. */
  readonly after?: KeyState
  /** What its members sign. */
  readonly payload: Bytes
  /** Who must sign it in the ceremony. */
  readonly signers: readonly KeyEventSigners[]
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
    throw planInvalid(reasonOf(cause), cause)
  }
}

function plannedEvent({ change, created, nonce, splits }: PlanParts): PlannedEvent | undefined {
  if (change === null) return undefined
  const at = new Date(created * 1000)
  if (change.why === 'inception') return plannedInception(change, { nonce, at })
  const { history, why, roles, context, witnesses, next } = change
  const before = verifyKeyHistory(history.map((event) => decodeEnvelope(event)))
  const more = { ...(context && { context }), ...(witnesses && { witnesses }), ...(next !== undefined && { next }) }
  const payload = keyEventPayload({ history: before, why, roles, at, ...more })
  const after = keyStateAfter(before, payload)
  const keys = ({ roles: acting, witnesses: seen, next: committed }: KeyState) => encode([acting, seen, committed])
  checkPlan(
    !equalBytes(keys(before), keys(after)) || why === 'reshare' || why === 'retire',
    'the keys that it describes are those that the vault has',
  )
  checkPlan(
    why !== 'reshare' || splits.some(({ key }) => keysOf(roles).includes(key)),
    'it is to share out a key of the vault anew, and splits none',
  )
  const asked = keyEventSigners(before, after)
  // Those that a move brings in sign at the place that receives.
  const signers = why === 'migrate' ? asked.filter((each) => SIGN_BEFORE_MOVE.has(each.why)) : asked
  return { vault: before.vault, seq: after.seq, before, after, signers, payload }
}

const SIGN_BEFORE_MOVE = new Set<KeyEventSigners['why']>([
  'identity-before',
  'witness-before',
  'witness-after',
  'witness-new',
])

function plannedInception(
  { roles, content }: KeyFounding,
  { nonce, at }: { readonly nonce: Bytes; readonly at: Date },
): PlannedEvent {
  // Its secret lies at one place. With several, the vault could be begun at several.
  checkPlan(roles.log.keys.length === 1, 'a vault is founded with one log key, that of the place where it begins')
  const payload = inceptionPayload({ roles, content, nonce, at })
  const vault = contentId(payload, { hash: 'sha2-256', codec: 'dag-cbor' })
  const keys = keysOf(roles)
  return { vault, seq: 0, signers: [{ why: 'possession', keys, threshold: keys.length }], payload }
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

/** Everybody who has a part in a plan. Throws where its key event is none that anybody could take. */
export function partsOf(plan: PlanParts): ReadonlySet<KeyId> {
  const event = plannedEvent(plan)
  const contributors = contributorsOf({ plan, ...(event && { event }) })
  return new Set([...contributors, ...holdersOf(plan), ...plan.witnesses.keys, plan.proposer])
}

/** Everybody who may contribute: by signing the key event, or by splitting a key. */
export function contributorsOf({ plan, event }: PlannedParts): ReadonlySet<KeyId> {
  const signers = event?.signers.flatMap(({ keys }) => keys) ?? []
  return new Set([...signers, ...plan.splits.map(({ key }) => key)])
}

/** Whether a key may sign the key event: of those of whom some, or all, must. */
export function signsEvent({ event }: Pick<PlannedParts, 'event'>, key: KeyId): boolean {
  return event?.signers.some(({ keys }) => keys.includes(key)) ?? false
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
