import type { KeyId, Roles } from '@vault/core'
import { encode, equalBytes, VaultError } from '@vault/core'
import type { PlannedKeys } from '../plan.ts'
import type { MigrationRecordErrorCode } from './error.ts'

/** The roles that get keys made at the target of a move. The log key, which is online, never stays. */
export function newRoles(keys: PlannedKeys): readonly (keyof Roles)[] {
  return NEW_ROLES[keys]
}

const NEW_ROLES: Readonly<Record<PlannedKeys, readonly (keyof Roles)[]>> = {
  new: ['identity', 'operators', 'log'],
  'new-identity': ['identity', 'log'],
  keep: ['log'],
}

/**
 * Which keys a vault may have after its hand-off: a role that the plan keeps stays as it is; every other role has none of the keys
 * before, in whatever role. Asked by the source before its identity signs, and by whoever reads a certificate.
 *
 * Throws `MIGRATION_RECORD_FOREIGN` with the field `roles`, and the `role` in its details.
 */
export function requireRoles(keys: PlannedKeys, before: Roles, after: Roles): void {
  const old: ReadonlySet<KeyId> = new Set(Object.values(before).flatMap((role) => role.keys))
  const fresh = newRoles(keys)
  for (const role of ['identity', 'operators', 'log'] as const) {
    if (!fresh.includes(role)) {
      if (!equalBytes(encode(before[role]), encode(after[role])))
        throw foreignRole(role, 'changes, but the plan keeps it')
    } else if (after[role].keys.some((key) => old.has(key))) {
      throw foreignRole(role, 'has a key that the vault had before, which must not stay')
    }
  }
}

function foreignRole(role: keyof Roles, why: string): VaultError<MigrationRecordErrorCode> {
  return new VaultError({
    code: 'MIGRATION_RECORD_FOREIGN',
    message: `The role ${role} after the hand-off ${why}. Sign and believe nothing with these roles: the plan asks for others.`,
    details: { record: 'migration-acceptance', field: 'roles', role },
  })
}
