import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { MoveState } from './state.ts'

/**
 * Whoever asked for the way back must not read a success where it turned out on the way that only the way forward was left. Throws
 * `MIGRATION_TARGET_ADVANCED`.
 */
export function requireTakenBack({ migration, phase }: Pick<MoveState, 'migration' | 'phase'>, target: string): void {
  if (phase === 'rolled-back') return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_TARGET_ADVANCED',
    message: `Not rolled back: ${target} had taken the vault already, so the migration ${migration} was finished. The way back is "vault-migrate run --back" between folders, "vault-migrate rollback --bring-newer" between servers.`,
    details: { migration },
  })
}
