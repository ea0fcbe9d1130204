import type { Envelope, KeyId, KeyState } from '@vault/core'
import {
  decodeEnvelope,
  encodeEnvelope,
  followKeyState,
  isVaultError,
  keyEventPayload,
  mergeEnvelopes,
  VaultError,
} from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import { encodePlan } from '../plan.ts'
import { verifyAcceptance } from '../records/acceptance.ts'
import { requireRoles } from '../records/roles-rule.ts'
import { sourceStatement } from '../source-statement.ts'
import { authorizedNote, startNote } from './audit-note.ts'
import { requireChains } from './granting-source.ts'
import { requireApprovals } from './mandated-source.ts'
import type { ExplainedSource, MoveSource } from './move-endpoint.ts'
import { requirePlannedTarget } from './require-planned-target.ts'
import type { Act, Effect } from './work.ts'

/** The target becomes receiving and says under which keys it will have the vault. */
export const accept: Act = async (work) => {
  requirePlannedTarget(work.plan, work.parts.target)
  await requireApprovals(work)
  const { plan, planId, state, parts, driver, options } = work
  const { source, target } = parts
  const { vault, migration } = state
  const keyEvents = await source.keyEvents(options)
  const { epoch } = await source.soup.tenure(options)
  const keys = plan.handoff?.keys ?? 'new'
  const evidence = isExplained(source) ? await source.evidence(options) : undefined
  const shown = evidence === undefined ? {} : { evidence }
  const offer = { vault, keyEvents, migration, plan: planId, epoch, driver, keys, ...shown } as const
  const acceptance = await target.accept(offer, options)
  const planned = plan.target.place === undefined ? {} : { place: plan.target.place }
  const expected = { vault, migration, plan: planId, instance: target.instance, ...planned }
  const { place } = verifyAcceptance(decodeEnvelope(acceptance), expected)
  if (place === source.place.key) throw samePlace(target.label, place)
  return { acceptance }
}

function isExplained(source: MoveSource): source is ExplainedSource {
  return 'evidence' in source
}

/** The key event that will count with the hand-off: signed by the old identity, and by every new key. */
export const endorse: Act = async ({ plan, planId, state, parts, options }) => {
  const { source, target } = parts
  const { vault, migration } = state
  const { roles } = verifyAcceptance(decodeEnvelope(required(state.acceptance)), {
    vault,
    migration,
    plan: planId,
    instance: target.instance,
  })
  const history = await source.keyState(options)
  // The same bytes whenever it is done again, because every part of it is written down.
  const context = { migration, instance: target.instance }
  // Nothing is signed that would give the target other keys than were planned.
  requireRoles(plan.handoff?.keys ?? 'new', history.roles, roles)
  const payload = keyEventPayload({ history, why: 'migrate', roles, context, at: new Date(state.planned * 1000) })
  const old = decodeEnvelope(await source.signAsIdentity(payload, options))
  const next = decodeEnvelope(await target.endorse({ vault, migration, keyEvent: payload }, options))
  const keyEvent = mergeEnvelopes([old, next])
  requireTaken(source.label, history, keyEvent)
  return { keyEvent: encodeEnvelope(keyEvent) }
}

/** What no place would take is refused before anything is copied. */
function requireTaken(label: string, history: KeyState, keyEvent: Envelope): void {
  try {
    followKeyState(history, keyEvent)
  } catch (error) {
    if (!isVaultError(error, 'KEY_EVENT_WITNESSES')) throw error
    const { vault, witnesses } = history
    throw new VaultError<MigrationErrorCode>({
      code: 'MIGRATION_IDENTITY_MISSING',
      message: `The key events of the vault ${vault} have witnesses, who sign that it moves, and ${label} has not asked enough of them: let them sign in a ceremony, and resume.`,
      details: { vault, needed: witnesses.threshold, keys: witnesses.keys },
      cause: error,
    })
  }
}

/** `migration-authorized` and `migration-start` in the trail, before the first byte moves; the plan is held with it. */
export const announce: Act = async (work) => {
  const { plan, planId, state, parts, options } = work
  // What will be refused in the end is not begun.
  await requireChains(work, required(state.keyEvent))
  const { source, operator = 'owner' } = parts
  const bytes = encodePlan(plan)
  const { migration, since } = state
  await source.keep({ id: planId, bytes }, { migration }, options)
  await source.tell([authorizedNote(plan, operator), startNote(plan, planId)], { migration, since }, options)
  return {}
}

/** The source as it is when the transfer begins (M010). */
export const snapshot: Effect = async function* ({ parts, options }) {
  yield { type: 'phase', phase: 'snapshot' }
  const statement = await sourceStatement(parts.source, options)
  yield { type: 'statement', statement }
  return { statement }
}

/** What an earlier step left. */
export function required<T>(value: T | null): T {
  if (value === null) throw new TypeError('A step of the migration was left out.')
  return value
}

function samePlace(label: string, place: KeyId): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The target ${label} signs with the key of the source: it is a copy of that place. Roll the migration back, and choose another target.`,
    details: { place },
  })
}
