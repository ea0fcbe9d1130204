import type { Bytes, ContentId } from '@vault/core'
import { link } from '@vault/core'
import type { Plan } from '../plan.ts'
import type { BatchRecord } from './batch-record.ts'
import type { MoveState } from './state.ts'

/** What the audit trail is told; the place adds who and when. */
export interface AuditNote {
  /** Unique in the trail: an entry is made once however often it is told. */
  readonly key: string
  /** The seed's word. */
  readonly verb: string
  readonly object: string
  /** Values that DAG-CBOR has. */
  readonly parameters: Readonly<Record<string, unknown>>
  readonly motivation?: string
}

/** The beginning of the keys of all notes of a migration. */
export function noteKey(migration: string, name: string): string {
  return `migration/${migration}/${name}`
}

/** `migration-authorized` (M138). */
export function authorizedNote(plan: Plan, operator: string): AuditNote {
  return note(plan, 'migration-authorized', { operator, ...ends(plan) })
}

/** `migration-start` (M009). */
export function startNote(plan: Plan, id: ContentId): AuditNote {
  const parameters = { type: plan.kind, plan: link(id), ...ends(plan) }
  return { ...note(plan, 'migration-start', parameters), ...(plan.reason && { motivation: plan.reason }) }
}

/** `object-transferred` (M036), for a batch: how many, and where the list of their ids is. */
export function transferredNote(plan: Plan, batch: number, record: BatchRecord): AuditNote {
  const { type: _, v: __, migration: ___, id: ____, list, ...counts } = record
  const parameters = { batch, ...counts, ...(list === null ? {} : { list }), ...ends(plan) }
  return { ...note(plan, `object-transferred/${batch}`, parameters), verb: 'object-transferred' }
}

/** `key-transition` (M067), with the event itself, so that the trail alone proves which keys come. */
export function keyTransitionNote(plan: Plan, id: ContentId, keyEvent: Bytes): AuditNote {
  return note(plan, 'key-transition', { key_event: link(id), envelope: keyEvent })
}

/** `authority-diff`: which chains of certificates go on under the keys that come, and which were allowed to break (M068, M071). */
export function authorityNote(plan: Plan, name: string, parameters: AuditNote['parameters']): AuditNote {
  return { ...note(plan, `authority-diff/${name}`, parameters), verb: 'authority-diff' }
}

/** `migration-audit` (M055, M056): `entries` is the number of entries before this one. */
export function auditNote(plan: Plan, entries: number): AuditNote {
  return note(plan, 'migration-audit', { entries, ...ends(plan) })
}

/** `migration-rolled-back`, with the phase in the seed's words. */
export function rolledBackNote(plan: Plan, { reason }: MoveState): AuditNote {
  return { ...note(plan, 'migration-rolled-back', ends(plan)), ...(reason !== null && { motivation: reason }) }
}

function note({ migration_id }: Plan, verb: string, parameters: AuditNote['parameters']): AuditNote {
  return { key: noteKey(migration_id, verb), verb, object: `migration:${migration_id}`, parameters }
}

function ends({ source, target }: Plan): { readonly source: string; readonly target: string } {
  return { source: source.label, target: target.label }
}
