import type { IndexedEntry, Trail } from '@vault/audit-chain'
import { encodeEvent, parseTlogProof } from '@vault/audit-chain'
import type { AbortOptions, Bytes, ContentId } from '@vault/core'
import { decodeEnvelope, VaultError } from '@vault/core'
import type { Tenure } from '@vault/soup'
import { buildCertificate } from '../certificate/build-certificate.ts'
import type { CertifiedEntry } from '../certificate/certificate.ts'
import { certificateId } from '../certificate/certificate-id.ts'
import type { MigrationErrorCode } from '../error.ts'
import { parseHandoff } from '../records/handoff.ts'
import { noteKey } from './audit-note.ts'
import { required } from './begin-effects.ts'
import { holdBlock } from './hold-block.ts'
import { keyStateAt } from './key-state.ts'
import type { Seat } from './seat.ts'
import { drainSeatTrail, seatSeconds, tellerAt } from './seat.ts'
import type { MoveState } from './state.ts'
import type { TargetRecords } from './target-records.ts'
import { Told, tellOnce } from './tell-once.ts'

/**
 * Writes `migration-complete` into the trail of a vault that has arrived, and makes, holds and gives its certificate. Throws
 * `MIGRATION_TARGET_ADVANCED` where the vault has been handed on since: its trail goes on elsewhere, under other keys; and `MIGRATION_UNFINISHED` where another migration has
 * quiesced it, which may be rolled back; and `MIGRATION_RECORD_FOREIGN` where the migration is one of another vault.
 */
export async function concludeMove(
  seat: Seat,
  records: TargetRecords,
  state: MoveState,
  options?: AbortOptions,
): Promise<Bytes> {
  const { vault, migration } = state
  await records.accepted(vault, migration, options)
  const known = await records.certificate(migration, options)
  if (known !== undefined) return known
  const soup = seat.store.soup(vault)
  const envelope = required(state.handoff)
  const handoff = parseHandoff(decodeEnvelope(envelope).payload)
  const history = await keyStateAt(seat, vault, options)
  const tenure = await soup.tenure(options)
  if (tenure.state === 'quiesced') throw closed(seat.label, tenure)
  if (tenure.state !== 'active' || history.head !== handoff.key_event.id) throw movedOn(seat.label, vault, migration)
  const key = noteKey(migration, 'migration-complete')
  const { objects } = required(state.statement).counts
  const { coverage, checked } = required(state.verification)
  const complete = encodeEvent({
    time: seatSeconds(seat),
    actor: seat.actor,
    // M139: how many, and how they were verified.
    action: {
      verb: 'migration-complete',
      object: `migration:${migration}`,
      parameters: { migration_id: migration, objects, verification: { coverage, checked } },
    },
    key,
  })
  const told = new Told(noteKey(migration, ''), handoff.log.size)
  const telling = { events: [{ key, bytes: complete }], migration }
  await tellOnce(tellerAt(seat, vault, options), told, telling, options)
  const log = await drainSeatTrail(seat, vault, options)
  const first = await entryWith(log, handoff.log.size, ({ index }) => index === handoff.log.size)
  const last = await entryWith(log, handoff.log.size, ({ entry }) => entry.key === key)
  const { rounds, batches, entries, bytes, objects: sent } = state.sent
  const { asked: acks, sample } = state.possession
  const certificate = await buildCertificate(
    {
      plan: state.plan,
      keyEvents: await seat.store.tenures.keyEvents(vault, options),
      acceptance: required(state.acceptance),
      ready: required(state.ready),
      handoff: envelope,
      verification: { coverage, checked, findings: 0 },
      transfer: { objects: sent, bytes, entries, rounds, batches },
      possession: acks === 0 ? { mode: 'none' } : { mode: 'signed', acks, sample },
      audit: {
        target: required(log.checkpoint ?? null),
        consistency: await log.consistency(handoff.log.size, log.size, options),
        handoff: await certified(log, first, options),
        complete: await certified(log, last, options),
      },
      times: { planned: state.planned, completed: last.entry.time },
    },
    await seat.keys.signers('log', history.roles.log, options),
    options,
  )
  const id = certificateId(certificate)
  // Under no root, and moved with the vault.
  await holdBlock(seat, vault, { block: { id, bytes: certificate } }, options)
  return await records.conclude(migration, certificate, options)
}

async function entryWith(trail: Trail, from: number, fits: (entry: IndexedEntry) => boolean): Promise<IndexedEntry> {
  for await (const page of trail.entries({ from })) {
    const found = page.find(fits)
    if (found !== undefined) return found
  }
  throw new TypeError('The trail lacks an entry that was just written.')
}

async function certified(
  trail: Trail,
  { index, bytes }: IndexedEntry,
  options?: AbortOptions,
): Promise<CertifiedEntry> {
  const { proof } = parseTlogProof(await trail.prove(index, trail.size, options))
  return { index, leaf: bytes, proof }
}

function closed(label: string, { vault, migration }: Tenure): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_UNFINISHED',
    message: `The vault ${vault} is quiesced at ${label} for the migration ${migration}: resume that one, or roll it back, and then resume this one.`,
    details: { vault, migration },
  })
}

function movedOn(label: string, vault: ContentId, migration: string): VaultError<MigrationErrorCode> {
  return new VaultError({
    code: 'MIGRATION_TARGET_ADVANCED',
    message: `The vault ${vault} came to ${label} by the migration ${migration} and has been handed on since, so no certificate of it can be made there any more.`,
    details: { vault, migration },
  })
}
