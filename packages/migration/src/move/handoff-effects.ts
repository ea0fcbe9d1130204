import type { ContentId, Link } from '@vault/core'
import { contentId, decode, decodeEnvelope, VaultError } from '@vault/core'
import { copyHeld } from '../copy-held.ts'
import type { MigrationErrorCode } from '../error.ts'
import { parseHandoff } from '../records/handoff.ts'
import { auditNote, keyTransitionNote } from './audit-note.ts'
import { required } from './begin-effects.ts'
import { requireChains } from './granting-source.ts'
import { requireApprovals } from './mandated-source.ts'
import type { Act, Work } from './work.ts'

/** The source takes no more changes (M085). */
export const quiesce: Act = async (work) => {
  const { state, parts, options } = work
  // Again, as what was approved may have expired by now; later nobody could approve it any more.
  await requireApprovals(work)
  await work.pause.begin(work)
  await parts.source.quiesce(state.migration, options)
  // Whoever took the move over or back meanwhile may have opened the source before this closed it; the driver opens it then.
  await work.requireOwn()
  return {}
}

/** `authority-diff`, `key-transition` and `migration-audit`: the last entries that the source writes. */
export const account: Act = async (work) => {
  const { plan, state, parts, options } = work
  const { source } = parts
  const { migration, since } = state
  const keyEvent = required(state.keyEvent)
  requireSameKeys(await source.keyState(options), keyEvent, migration)
  const authority = await requireChains(work, keyEvent)
  const notes = [
    ...(authority === undefined ? [] : [authority]),
    keyTransitionNote(plan, payloadId(keyEvent), keyEvent),
  ]
  // As many entries as the log will have before the last one: it is not written out for that, but once, by `freeze`.
  const { events } = await source.soup.tenure(options)
  await source.tell([...notes, auditNote(plan, events + notes.length)], { migration, since }, options)
  return {}
}

/** Where the trail of the source ends. */
export const freeze: Act = async ({ state, parts, options }) => {
  return { frozen: await parts.source.freeze(state.migration, options) }
}

/** The trail and everything that it names (M052): verified before it is stored. */
export const moveTrail: Act = async ({ state, parts, driver, held, options }) => {
  const { source, target } = parts
  const { vault, migration } = state
  const { note, size } = required(state.frozen)
  const from = await source.log(options)
  await target.receiveTrail({ vault, migration, from, note, size }, options)
  const receiving = await target.open({ vault, migration, driver }, options)
  await copyHeld(source, receiving, { migration, driver }, options, held)
  return {}
}

/** receiving → prepared. */
export const prepare: Act = async ({ state, parts, driver, options }) => {
  const { vault, migration } = state
  const what = {
    statement: required(state.statement),
    frozen: required(state.frozen),
    keyEvent: required(state.keyEvent),
  }
  return { ready: await parts.target.prepare({ vault, migration, driver, ...what }, options) }
}

/** quiesced → retired: from here on only the target can be active, or decline. */
export const sign: Act = async (work) => {
  const { planId, state, parts, options } = work
  const terms = {
    migration: state.migration,
    plan: planId,
    target: parts.target,
    statement: required(state.statement),
    frozen: required(state.frozen),
    acceptance: required(state.acceptance),
    ready: required(state.ready),
    keyEvent: payloadId(required(state.keyEvent)),
  }
  return { handoff: await parts.source.signHandoff(terms, options) }
}

/** prepared → active (M090). */
export const activate: Act = async (work) => {
  const { state, parts, options } = work
  const [handoff, keyEvent] = [required(state.handoff), required(state.keyEvent)]
  await requireGivenAway(work)
  await parts.target.activate({ handoff, keyEvent }, options)
  await work.pause.end(work)
  return {}
}

/** After activation, so that a crash between the two leads nobody to a place that is not active (M089, X20). */
export const route: Act = async (work) => {
  const { state, parts, options } = work
  await requireGivenAway(work)
  const { source, target, routing } = parts
  const { epoch } = parseHandoff(decodeEnvelope(required(state.handoff)).payload)
  const [from, to] = [source, target].map(({ label, instance }) => ({ label, instance })) as [End, End]
  await routing?.update({ vault: state.vault, migration: state.migration, from, to, epoch }, options)
  return {}
}

interface End {
  readonly label: string
  readonly instance: string
}

/** `migration-complete` in the trail (M091), and the certificate. */
export const conclude: Act = async ({ state, parts, options }) => {
  return { certificate: await parts.target.conclude(state, options) }
}

/** The source is closed, so they stay: a hand-off over keys that were replaced meanwhile would bring the old ones back. */
function requireSameKeys(
  { vault, head }: { readonly vault: ContentId; readonly head: ContentId },
  keyEvent: Uint8Array,
  migration: string,
): void {
  const { prev } = decode(decodeEnvelope(keyEvent).payload) as { readonly prev: Link }
  if (prev.id === head) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_KEYS_REPLACED',
    message: `The keys of the vault ${vault} were replaced while the migration ${migration} was under way, which agreed upon those before: roll it back, and begin a new one.`,
    details: { vault, migration },
  })
}

/** Whoever made the source active again may have died before the move was closed: given the hand-off then, the target would be active too. */
async function requireGivenAway({
  state: { vault, migration },
  parts: { source },
  options,
}: Pick<Work, 'state' | 'parts' | 'options'>): Promise<void> {
  const now = await source.soup.tenure(options)
  if (now.state !== 'active' || now.migration !== migration) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_STATE',
    message: `The vault ${vault} is active at ${source.label} again, by the word of its identity, so the migration ${migration} does not go on: say "vault-migrate recover" once more, which closes it.`,
    details: { vault, migration, state: now.state },
  })
}

function payloadId(envelope: Uint8Array): ContentId {
  return contentId(decodeEnvelope(envelope).payload, { hash: 'sha2-256', codec: 'dag-cbor' })
}
