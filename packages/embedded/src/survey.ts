import { join, relative } from 'node:path'
import { type AbortOptions, isVaultError, type VaultError, type VaultId } from '@vault/core'
import { compareStanding } from './check-standing.ts'
import type { Damage } from './damage.ts'
import { Marks } from './marks.ts'
import { openVault } from './open.ts'
import type { ScrubEvent } from './scrub.ts'
import { Vault } from './vault.ts'

/** Codes that say that something on the disk is not what was written. */
const DAMAGE: ReadonlySet<string> = new Set([
  'AUDIT_CHECKPOINT_INVALID',
  'AUDIT_CHECKPOINT_UNTRUSTED',
  'AUDIT_ENTRY_INVALID',
  'AUDIT_MARK_DAMAGED',
  'AUDIT_MISSING',
  'AUDIT_NOTE_INVALID',
  'AUDIT_TAMPERED',
  'CAS_CORRUPT',
  'CAS_FORMAT',
  'CAS_MALFORMED',
  'CAS_MISSING',
  'KEY_DAMAGED',
  'KEY_EVENT_INVALID',
  'SOUP_CORRUPT',
  'SOUP_FORMAT',
  'VAULT_FORMAT',
])

export function isDamageError(error: unknown): error is VaultError {
  return isVaultError(error) && DAMAGE.has(error.code)
}

/**
 * The scrub of whatever is in a folder: what keeps the vault from being opened, or from being read on, is its report as well. Changes
 * nothing. `open` opens the vault of `dir` as the caller wants it; what it throws that is no damage is thrown.
 */
export async function* scrubFolder(
  dir: string,
  open: () => Promise<Vault>,
  options: AbortOptions & { readonly sample?: number } = {},
): AsyncGenerator<ScrubEvent> {
  let reached = { checked: 0, objects: 0 }
  const reportOf = (error: unknown): ScrubEvent => {
    if (!isDamageError(error)) throw error
    const { code, message } = error
    const damaged: Damage = { code, subject: subjectOf(error, dir), names: [], message }
    return { type: 'report', ok: false, ...reached, entries: 0, damaged: [damaged], notes: [] }
  }
  const opened = await open().catch(reportOf)
  if (!(opened instanceof Vault)) {
    yield opened
    return
  }
  await using vault = opened
  try {
    for await (const event of vault.scrub(options)) {
      if (event.type === 'progress') reached = { checked: event.checked, objects: event.objects }
      yield event
    }
  } catch (error) {
    yield reportOf(error)
  }
}

/** {@link scrubFolder} of a vault that may be behind what it was, which is in its report. `vault`: which one of those in the folder. */
export async function* surveyVault(
  dir: string,
  options: AbortOptions & { readonly stateDir?: string; readonly vault?: VaultId } = {},
): AsyncGenerator<ScrubEvent> {
  const { signal, stateDir, vault: wanted } = options
  const choose = wanted === undefined ? undefined : () => wanted
  const open = () => openVault(dir, { mode: 'read', ignoreMark: true, signal, ...(choose && { choose }) })
  for await (const event of scrubFolder(dir, open, { signal })) {
    if (event.type === 'progress') {
      yield event
      continue
    }
    const damaged = [...event.damaged, ...(await standingOf(open, stateDir, { signal }))]
    yield { ...event, ok: damaged.length === 0, damaged }
  }
}

/** In what a vault is behind what it was. Damage that hides it is what the scrub has named already. */
async function standingOf(
  open: () => Promise<Vault>,
  stateDir: string | undefined,
  options: AbortOptions,
): Promise<readonly Damage[]> {
  try {
    await using vault = await open()
    const { id, place, log } = vault
    const { dir, soups, info } = place
    const marks = stateDir === undefined ? undefined : new Marks({ stateDir, instance: info.instance, warn: () => {} })
    const { findings } = await compareStanding({ vault: id, dir, soups, log, marks }, { mode: 'read' }, options)
    return findings.map((finding) => ({ ...finding, subject: finding.subject ?? '', names: [] }))
  } catch (error) {
    if (!isDamageError(error)) throw error
    if (error.code !== 'AUDIT_MARK_DAMAGED') return []
    const { code, message } = error
    return [{ code, message, subject: String(error.details.file), names: [] }]
  }
}

/** The damaged file, relative to the place; the object, where that is known and no file is. */
function subjectOf({ code, details }: Pick<VaultError, 'code' | 'details'>, dir: string): string {
  const { file, path = file, id } = details
  if (typeof path === 'string') {
    const inside = [join(dir, '.vault'), dir].map((place) => relative(place, path))
    return inside.find((name) => !name.startsWith('..')) ?? path
  }
  if (typeof id === 'string') return id
  return code.startsWith('SOUP_') ? 'soup.sqlite' : '.'
}
