import type { AuditEvent } from '@vault/audit-chain'
import { encodeEvent } from '@vault/audit-chain'
import type { AbortOptions, Bytes, ContentId, Threshold } from '@vault/core'
import {
  copyBytes,
  decodeEnvelope,
  encode,
  encodeEnvelope,
  equalBytes,
  isVaultError,
  link,
  signEnvelope,
  toHex,
  VaultError,
} from '@vault/core'
import type { Tenure } from '@vault/soup'
import type { Statement } from '@vault/transfer'
import { statementOf } from '@vault/transfer'
import type { MigrationErrorCode } from '../error.ts'
import { verifyAcceptance } from '../records/acceptance.ts'
import { verifyDecline } from '../records/decline.ts'
import type { Handoff } from '../records/handoff.ts'
import { parseHandoff, signHandoff as signHandoffRecord } from '../records/handoff.ts'
import type { Ready } from '../records/ready.ts'
import { readyId, verifyReady } from '../records/ready.ts'
import type { LogHead } from '../records/statement-field.ts'
import { soupStoreSource } from '../store-endpoint.ts'
import type { AuditNote } from './audit-note.ts'
import { noteKey } from './audit-note.ts'
import { holdBlock } from './hold-block.ts'
import { keyStateAt } from './key-state.ts'
import type { LiveSource } from './live/live-source.ts'
import { tellWriters } from './live/writer-notice.ts'
import type { ExplainedSource, HandoffTerms, LogEnd } from './move-endpoint.ts'
import type { Seat } from './seat.ts'
import { drainSeatTrail, tellerAt } from './seat.ts'
import { Told, tellOnce } from './tell-once.ts'

/** A vault at a place, as the source of a move. */
export function seatSource(seat: Seat, vault: ContentId): LiveSource & ExplainedSource {
  const { label, instance, place, objects, store, clock } = seat
  const { tenures } = store
  const soup = store.soup(vault)
  const told = new Map<string, Told>()

  const migrationOf = async (migration: string, options?: AbortOptions): Promise<Tenure> => {
    const tenure = await soup.tenure(options)
    if (tenure.migration === migration) return tenure
    throw refused(label, tenure, migration)
  }

  async function quiesce(migration: string, options?: AbortOptions): Promise<void> {
    const tenure = await soup.tenure(options)
    if (tenure.state === 'quiesced' && tenure.migration === migration) return
    if (tenure.state !== 'active') throw refused(label, tenure, migration)
    const { state, epoch } = tenure
    await tenures.transition(vault, { state, epoch }, { state: 'quiesced', epoch, migration }, options)
  }

  async function freeze(migration: string, options?: AbortOptions): Promise<LogEnd> {
    const { state, events } = await migrationOf(migration, options)
    if (state !== 'quiesced' && state !== 'retired') throw refused(label, await soup.tenure(options), migration)
    const trail = await drainSeatTrail(seat, vault, options)
    if (trail.size !== events || trail.checkpoint === undefined) throw changed(migration, 'its audit log goes on')
    return { note: copyBytes(trail.checkpoint), size: trail.size, root: toHex(trail.root) }
  }

  async function signedHandoff(migration: string, options?: AbortOptions): Promise<Bytes | undefined> {
    const tenure = await soup.tenure(options)
    if (tenure.state !== 'retired' || tenure.migration !== migration) return undefined
    return await tenures.evidence(vault, options)
  }

  async function signHandoff(terms: HandoffTerms, options?: AbortOptions): Promise<Bytes> {
    const signed = await signedHandoff(terms.migration, options)
    if (signed !== undefined) return signed
    const { migration, plan, statement, frozen } = terms
    const tenure = await migrationOf(migration, options)
    if (tenure.state !== 'quiesced') throw refused(label, tenure, migration)
    const now = await statementOf(soup, options)
    if (!equalBytes(encode(now), encode(statement))) {
      throw changed(migration, 'the vault is not what the target has prepared')
    }
    const { instance: to } = terms.target
    const acceptance = verifyAcceptance(decodeEnvelope(terms.acceptance), { vault, migration, plan, instance: to })
    const { place: key, nonce } = acceptance
    const ready = verifyReady(decodeEnvelope(terms.ready), { vault, migration, instance: to, place: key })
    const log = { size: frozen.size, root: frozen.root }
    requireEqual(migration, { statement, log, nonce }, ready)
    const history = await keyStateAt(seat, vault, options)
    const epoch = tenure.epoch + 1
    const handoff: Handoff = {
      type: 'migration-handoff',
      v: 1,
      vault: link(vault),
      migration,
      from: { instance, place: place.key },
      to: { instance: to, place: key },
      nonce,
      epoch,
      statement,
      log,
      checkpoint: frozen.note,
      key_event: link(terms.keyEvent),
      plan: link(plan),
      ready: link(readyId(ready)),
      at: seconds(clock()),
    }
    const logSigners = await seat.keys.signers('log', history.roles.log, options)
    const evidence = encodeEnvelope(await signHandoffRecord(handoff, { log: logSigners, place }, options))
    const { state, events } = tenure
    const from = { state, epoch: tenure.epoch, migration, sequence: tenure.sequence, events: frozen.size }
    if (events !== frozen.size) throw changed(migration, 'its audit log goes on')
    try {
      await tenures.transition(vault, from, { state: 'retired', epoch, migration, evidence }, options)
    } catch (error) {
      if (!isVaultError(error, 'SOUP_TENURE')) throw error
      // Another driver of this migration may have been faster.
      const theirs = await signedHandoff(migration, options)
      if (theirs !== undefined) return theirs
      throw changed(migration, 'something was written to it', error)
    }
    return evidence
  }

  async function reopen(migration: string, decline: Uint8Array | undefined, options?: AbortOptions): Promise<Tenure> {
    const tenure = await soup.tenure(options)
    const { state, epoch } = tenure
    // What another migration has done with it is not this one's to undo.
    if (state === 'active' || tenure.migration !== migration) return tenure
    if (state === 'quiesced') {
      await tenures.transition(vault, { state, epoch, migration }, { state: 'active', epoch, migration }, options)
      return await soup.tenure(options)
    }
    if (state !== 'retired') throw refused(label, tenure, migration)
    const handoff = await tenures.evidence(vault, options)
    if (decline === undefined || handoff === undefined) throw handedOff(label, vault, migration)
    const { to } = parseHandoff(decodeEnvelope(handoff).payload)
    const declined = verifyDecline(decodeEnvelope(decline), { vault, migration, ...to })
    // Higher than the hand-off's own, which somebody may still hold.
    const higher = Math.max(epoch, declined.epoch) + 1
    const next = { state: 'active', epoch: higher, migration, evidence: decline } as const
    await tenures.transition(vault, { state, epoch, migration }, next, options)
    return await soup.tenure(options)
  }

  const eventOf = (note: AuditNote): AuditEvent => ({
    time: seconds(clock()),
    actor: seat.actor,
    action: { verb: note.verb, object: note.object, parameters: note.parameters },
    ...(note.motivation === undefined ? {} : { context: { motivation: note.motivation } }),
    key: note.key,
  })

  async function logEnd(options?: AbortOptions): Promise<LogEnd> {
    const { checkpoint, size, root } = await drainSeatTrail(seat, vault, options)
    if (checkpoint === undefined) throw changed(vault, 'it has no audit log yet')
    return { note: copyBytes(checkpoint), size, root: toHex(root) }
  }

  return {
    ...soupStoreSource({ vault, label, objects, store }),
    instance,
    place,
    records: store.records,
    log: (options) => seat.log(vault, options),
    keyState: (options) => keyStateAt(seat, vault, options),
    evidence: (options) => tenures.evidence(vault, options),
    async signAsIdentity(payload, options) {
      const { roles } = await keyStateAt(seat, vault, options)
      const signers = await seat.keys.signers('identity', roles.identity, options)
      if (signers.length < roles.identity.threshold) throw tooFew(label, vault, roles.identity, signers)
      return encodeEnvelope(await signEnvelope('key', payload, signers, options))
    },
    held: (range, options) => soup.held(range, options),
    quiesce,
    freeze,
    signHandoff,
    signedHandoff,
    reopen,
    logEnd,
    steer: (notice, options) => tellWriters(store.records, vault, notice, options),
    async keep(block, { migration }, options) {
      await holdBlock(seat, vault, { block, migration }, options)
    },
    async tell(notes, { migration, since }, options) {
      const known = told.get(migration) ?? new Told(noteKey(migration, ''), since)
      told.set(migration, known)
      const events = notes.map((note) => ({ key: note.key, bytes: encodeEvent(eventOf(note)) }))
      await tellOnce(tellerAt(seat, vault, options), known, { events, migration }, options)
    },
  }
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000)
}

/** The target states what it has in its own words: they must be those of the terms, or no certificate could be made. */
function requireEqual(
  migration: string,
  terms: { readonly statement: Statement; readonly log: LogHead; readonly nonce: Uint8Array },
  ready: Ready,
): void {
  const { statement, log, nonce } = ready
  const same = equalBytes(encode([terms.statement, terms.log, terms.nonce]), encode([statement, log, nonce]))
  if (!same) throw changed(migration, 'the target is ready for something else')
}

function refused(
  label: string,
  { vault, state, migration: other }: Tenure,
  migration: string,
): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_SOURCE_REFUSED',
    message: `The vault ${vault} is ${state} at the source ${label}${other === undefined ? '' : ` (migration ${other})`}, so the migration ${migration} cannot go on from there.`,
    details: { vault, state, migration: other },
  })
}

function handedOff(label: string, vault: ContentId, migration: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_HANDED_OFF',
    message: `The vault ${vault} was handed off from ${label} by the migration ${migration}: it is active here again only when the target says that it will never take it.`,
    details: { vault, migration },
  })
}

function changed(migration: string, why: string, cause?: unknown): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_CHANGED',
    message: `The source of the migration ${migration} is not what was prepared: ${why}. The last steps are done again.`,
    details: { migration },
    cause,
  })
}

function tooFew(
  label: string,
  vault: ContentId,
  { keys, threshold: needed }: Threshold,
  { length: held }: { readonly length: number },
): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_IDENTITY_MISSING',
    message: `The identity of the vault ${vault} signs that it moves, with ${needed} of its ${keys.length} keys, and ${held} ${held === 1 ? 'is' : 'are'} held at ${label}. Put the key files back, or let their holders sign in a ceremony, and resume.`,
    details: { vault, needed, held, keys },
  })
}
