import { isVaultError } from '@vault/core'
import type { Query } from '@vault/soup'
import { parseCondition } from './condition-syntax.ts'
import { UsageError } from './exit-code.ts'

/** What matches all of these conditions. Throws a `UsageError`. */
export async function queryOf(where: readonly string[]): Promise<Query> {
  const query: Query = { where: { op: 'and', conditions: where.map(parseCondition) } }
  await requireQuery(query)
  return query
}

/** What is no query was typed so: said before a vault is opened, where the same code would mean damage. */
export async function requireQuery(query: Query): Promise<void> {
  const { checkQuery } = await import('@vault/soup')
  try {
    checkQuery(query)
  } catch (error) {
    if (isVaultError(error, 'SOUP_INVALID')) throw new UsageError(error.message)
    throw error
  }
}
