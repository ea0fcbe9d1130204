import { VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { MoveState } from './state.ts'

/** Whoever asked for a move must not read a success where it was taken back. Throws `MIGRATION_STATE`. */
export function requireMoved({ migration, phase }: Pick<MoveState, 'migration' | 'phase'>): void {
  if (phase === 'complete') return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_STATE',
    message: `The migration ${migration} was being taken back, and is ${phase} now. Ask again for a new one.`,
    details: { migration, phase },
  })
}
