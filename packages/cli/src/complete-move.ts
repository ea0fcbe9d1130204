import { VaultError } from '@vault/core'
import type { Difference, MigrationErrorCode } from '@vault/migration'
import type { SoupReader } from '@vault/soup'
import { counted } from './human.ts'

/** A move that has ended well, and how the place that it led to differs from the one that it left. */
export interface CompleteMove {
  readonly migration: string
  readonly total: number
  readonly named: readonly Difference[]
}

// So many are named in a message, and so many in its details.
const SAID = 5
const NAMED = 1_000

/** What is different between the place that a complete move has left, and the one that it led to. */
export async function whatCameAbout(
  migration: string,
  { left, reached }: { readonly left: SoupReader; readonly reached: SoupReader },
  signal: AbortSignal,
): Promise<CompleteMove> {
  const { compareVaults } = await import('@vault/migration')
  const named: Difference[] = []
  let total = 0
  for await (const page of compareVaults(left, reached, { signal })) {
    total += page.length
    named.push(...page.slice(0, NAMED - named.length))
  }
  return { migration, total, named }
}

/** The refusal to take a complete move back without what came about since, which is named. */
export function cannotRollBack({ migration, total, named }: CompleteMove, to: string): VaultError<MigrationErrorCode> {
  const said = `${named
    .slice(0, SAID)
    .map(({ name }) => name)
    .join(', ')}${total > SAID ? ', …' : ''}`
  const since =
    total === 0
      ? `Nothing was written in ${to} since.`
      : `${counted(total, 'difference')} in objects and entries came about in ${to} since: ${said}.`
  return new VaultError({
    code: 'MIGRATION_COMPLETE',
    message: `Cannot rollback completed migration: ${migration}. ${since} "vault-migrate rollback --bring-newer" moves the vault back with everything.`,
    details: { migration, total, newer: named },
  })
}
