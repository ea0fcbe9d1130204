import { decodeEnvelope, VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import { parseAcceptance } from '../records/acceptance.ts'
import type { MoveState } from './state.ts'
import type { MoveParts } from './work.ts'

/** A move that was accepted is between two places, and no third one can stand in for the target. */
export function requireAccepted({ acceptance, migration }: MoveState, { target }: MoveParts): void {
  if (acceptance === null) return
  const { instance } = parseAcceptance(decodeEnvelope(acceptance).payload)
  if (instance === target.instance) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_PLAN_MISMATCH',
    message: `The migration ${migration} goes to the place ${instance}, and ${target.label} is the place ${target.instance}.`,
    details: { migration, accepted: instance, instance: target.instance },
  })
}

/** A copy of a place has its identity: a hand-off between the two would say nothing about which of them is meant. */
export function requireApart({ source, target }: MoveParts): void {
  if (source.instance !== target.instance) return
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_TARGET_REFUSED',
    message: `The target ${target.label} is the place ${source.label} itself, or a copy of it. Choose another target, or make the copy a place of its own.`,
    details: { vault: source.vault, instance: target.instance },
  })
}
