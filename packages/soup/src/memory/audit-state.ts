import type { ContentId, Finding } from '@vault/core'
import { decodeEntry } from '../entry.ts'
import { shown } from '../soup-error.ts'
import type { VaultState } from './vault-state.ts'

/** What does not fit together. Rows in memory do not rot, so this finds what a migration left incomplete. */
export function* auditState(state: VaultState): Generator<Finding> {
  for (const [id, count] of countReferences(state)) {
    if (state.members.has(id)) continue
    yield { code: 'SOUP_NOT_PRESENT', message: `${count} rows refer to ${id}, which is not under charge.`, subject: id }
  }
  for (const [key, { bytes }] of state.entries) yield* missingVersion(state, key, bytes)
  for (const { bytes } of state.versions.values()) yield* missingVersion(state, decodeEntry(bytes).key, bytes)
}

/** Counts references anew from the rows and forgets what readers have kept. */
export function rebuildState(state: VaultState): void {
  const references = countReferences(state)
  state.references.clear()
  for (const [id, count] of references) state.references.set(id, count)
  state.keptObjects.clear()
  state.keptEntries.clear()
}

function* missingVersion(state: VaultState, key: string, bytes: Uint8Array): Generator<Finding> {
  const { previous } = decodeEntry(bytes)
  if (previous === undefined || state.versions.has(previous)) return
  yield { code: 'SOUP_CORRUPT', message: `The version ${previous} of ${shown(key)} is missing.`, subject: key }
}

function countReferences(state: VaultState): Map<ContentId, number> {
  const references = new Map<ContentId, number>()
  const refer = (id: ContentId | undefined) => {
    if (id !== undefined) references.set(id, (references.get(id) ?? 0) + 1)
  }
  for (const { links } of state.members.values()) links.forEach(refer)
  for (const { object } of state.entries.values()) refer(object)
  for (const { object } of state.versions.values()) refer(object)
  return references
}
