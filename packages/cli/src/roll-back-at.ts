import { VaultError } from '@vault/core'
import type { Difference, MigrationErrorCode } from '@vault/migration'
import { type ExitCode, UsageError } from './exit-code.ts'
import { counted } from './human.ts'
import { moveOn } from './move-on.ts'
import { endsOf } from './move-options.ts'
import { openVaultAt } from './open-vault.ts'
import type { Run } from './program.ts'
import { isRemote } from './remote-end.ts'

type Options = Parameters<typeof moveOn>[1] & { readonly bringNewer?: boolean }

/** A move that has ended well, and how the place that it led to differs from the one that it left. */
interface CompleteMove {
  readonly migration: string
  readonly total: number
  readonly named: readonly Difference[]
}

// So many are named in a message, and so many in its details.
const SAID = 5
const NAMED = 1_000

/**
 * Takes a migration back. What is complete goes back by a move with everything that was written since, where that is asked for; else it
 * is refused, and that is named. Throws `MIGRATION_COMPLETE` and what a move throws.
 */
export async function rollBackAt(run: Run, options: Options): Promise<ExitCode> {
  const { bringNewer = false, certificate, reason, migration: _, back = false, ...rest } = options
  const complete = await completeMove(run, options)
  if (complete === undefined) {
    if (certificate !== undefined)
      throw new UsageError('What is rolled back has no certificate: it is for --bring-newer.')
    return await moveOn(run, options, 'rollback')
  }
  if (!bringNewer) throw cannot(complete, endsOf(options).to)
  if (reason !== undefined) throw new UsageError('--reason is for a migration that is not complete.')
  const returns = { migration: complete.migration, newer: complete.total }
  return await moveOn(run, { ...rest, ...(certificate !== undefined && { certificate }), back: !back, returns }, 'run')
}

/** The latest move from this place, where it is complete and the vault has not come back. */
async function completeMove({ output, signal }: Run, options: Options): Promise<CompleteMove | undefined> {
  const { from, to } = endsOf(options)
  // What was written on a server is told to whoever is there.
  if (isRemote(from) || isRemote(to)) return undefined
  const { compareVaults, listMoves } = await import('@vault/migration')
  const open = { mode: 'read', signal } as const
  await using left = await openVaultAt(from, { ...options, output }, open)
  // On its way back it is received here, until it is active.
  if ((await left.soup.tenure({ signal })).state === 'active') return undefined
  const moves = await listMoves(left.place.soups.records, { signal })
  const latest = moves.find((move) => move.vault === left.id)
  if (latest?.phase !== 'complete' || (options.migration ?? latest.migration) !== latest.migration) return undefined
  await using reached = await openVaultAt(to, { ...options, output }, open)
  const named: Difference[] = []
  let total = 0
  for await (const page of compareVaults(left.soup, reached.soup, { signal })) {
    total += page.length
    named.push(...page.slice(0, NAMED - named.length))
  }
  return { migration: latest.migration, total, named }
}

function cannot({ migration, total, named }: CompleteMove, to: string): VaultError<MigrationErrorCode> {
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
