import type { Entry } from './entry.ts'
import { member } from './field-value.ts'
import { shown, soupError } from './soup-error.ts'

/** What may happen to an entry once it is there (R047). */
export type RollbackStrategy =
  /** It changes; every earlier version is kept and can be restored (R048). */
  | 'full'
  /** It changes, but its counters only grow, and its snapshots of them are only added to (R050). */
  | 'snapshot'
  /** It never changes and is never removed (R054). */
  | 'none'

/** What a type declares about its entries. */
export interface TypeContract {
  readonly type: string
  readonly rollback: RollbackStrategy
  /** Whether the soup keeps earlier versions. */
  readonly keepsHistory: boolean
}

/** The table of R057–R066, and the types of the vault's own entries. */
const BUILT_IN: Readonly<Record<string, RollbackStrategy>> = {
  principal: 'full',
  agent: 'full',
  policy: 'full',
  identity: 'full',
  wormhole: 'snapshot',
  statistics: 'snapshot',
  'audit-entry': 'none',
  archive: 'none',
  release: 'none',
  signature: 'none',
  path: 'full',
  object: 'full',
  ref: 'full',
  type: 'none',
}

/** Their earlier versions are kept by commits of the whole vault. Here, every overwritten name would keep its bytes for ever. */
const KEPT_ELSEWHERE = ['path', 'object', 'ref']

/** The types whose contract needs no declaration. */
export const BUILT_IN_TYPES: readonly string[] = Object.keys(BUILT_IN)

/** The key of the entry that declares a type which is not built in. */
export function declarationKey(type: string): string {
  return `type:${type}`
}

/**
 * The contract of a type: built in, or declared by its entry `type:<name>` with `fields.rollback`.
 * `undefined`: the type declares nothing (R056). Throws `SOUP_CONTRACT` where the declaration is none.
 */
export function contractOf(type: string, declaration?: Entry): TypeContract | undefined {
  const rollback = Object.hasOwn(BUILT_IN, type) ? BUILT_IN[type] : declaredRollback(declaration)
  if (rollback === undefined) return undefined
  return { type, rollback, keepsHistory: rollback === 'full' && !KEPT_ELSEWHERE.includes(type) }
}

/**
 * Refuses with `SOUP_CONTRACT` an entry that denies its own nature (R067): one that states another rollback strategy
 * than its type's, and a declaration that is none or that means a built-in type.
 */
export function checkNature(entry: Entry, contract: TypeContract): void {
  if (entry.type === 'type') {
    const name = entry.key.slice(declarationKey('').length)
    if (Object.hasOwn(BUILT_IN, name)) throw contradiction(entry, `the type ${name} is built in and has its contract`)
    declaredRollback(entry)
    return
  }
  const stated = member(entry.fields, 'rollback')
  if (stated !== undefined && stated !== contract.rollback) {
    throw contradiction(
      entry,
      `it states another rollback than its type ${entry.type}, which declares ${contract.rollback}`,
    )
  }
}

function declaredRollback(declaration: Entry | undefined): RollbackStrategy | undefined {
  if (declaration === undefined) return undefined
  const rollback = member(declaration.fields, 'rollback')
  if (rollback === 'full' || rollback === 'snapshot' || rollback === 'none') return rollback
  throw contradiction(declaration, 'its rollback is none of full, snapshot, none')
}

function contradiction(entry: Entry, why: string): Error {
  return soupError('SOUP_CONTRACT', `The entry ${shown(entry.key)} is refused: ${why}.`, { key: entry.key })
}
