import type { MigrationReason } from '@vault/migration'
import { UsageError } from './exit-code.ts'

/** For the help of the commands that plan a move. */
export const REASONS = 'hardware-failure, provider-change, jurisdiction, performance or cost'

/** Why a vault moves. Throws a `UsageError` for what is none of the reasons that there are. */
export async function reasonOf(text: string | undefined): Promise<MigrationReason | undefined> {
  if (text === undefined) return undefined
  const { MIGRATION_REASONS } = await import('@vault/migration')
  const known = MIGRATION_REASONS.find((one) => one === text)
  if (known === undefined) throw new UsageError(`--reason is one of ${MIGRATION_REASONS.join(', ')}.`)
  return known
}
