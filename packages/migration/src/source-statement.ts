import type { AbortOptions } from '@vault/core'
import { VaultError } from '@vault/core'
import type { Tenure } from '@vault/soup'
import type { Statement } from '@vault/transfer'
import { statementOf } from '@vault/transfer'
import type { Source } from './endpoint.ts'
import type { MigrationErrorCode } from './error.ts'

const WHOLE: ReadonlySet<string> = new Set(['active', 'quiesced', 'replica', 'retired', 'ended'])

/** Refuses with `MIGRATION_SOURCE_REFUSED` a source that has only a part of its vault: a target made equal to it loses the rest. */
export async function requireWhole({ vault, label, soup }: Source, options: AbortOptions): Promise<Tenure> {
  const tenure = await soup.tenure(options)
  const { state } = tenure
  if (WHOLE.has(state)) return tenure
  throw new VaultError<MigrationErrorCode>({
    code: 'MIGRATION_SOURCE_REFUSED',
    message: `The vault ${vault} is ${state} at the source ${label}, so it is not whole there. Choose another source, or run the migration to it to its end first.`,
    details: { vault, state },
  })
}

/** What the source is, when it is whole. */
export async function sourceStatement(source: Source, options: AbortOptions): Promise<Statement> {
  while (true) {
    const statement = await statementOf(source.soup, options)
    const { state, sequence } = await requireWhole(source, options)
    // An active vault is whole after each of its changes; a replica that was received again meanwhile only after the last.
    if (state === 'active' || sequence === statement.sequence) return statement
  }
}
