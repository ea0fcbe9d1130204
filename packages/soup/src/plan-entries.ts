import type { ContentId } from '@vault/core'
import { isContentId, toHex } from '@vault/core'
import type { TypeContract } from './contract.ts'
import { contractOf, declarationKey } from './contract.ts'
import type { Entry } from './entry.ts'
import { checkKey, decodeEntry, entryValue } from './entry.ts'
import type { EntryTransition, StoredEntry } from './entry-change.ts'
import { changeEntry, storedEntry } from './entry-change.ts'
import type { Change } from './soup.ts'
import { shown, soupError } from './soup-error.ts'

/** The stored bytes of the entry with this key, `undefined` where there is none. */
export type StoredBytes = (key: string) => Uint8Array | undefined

/** The key of the entry that a ref is kept as. */
export function refKey(name: string): string {
  return `ref:${name}`
}

/** Refuses with `SOUP_CONFLICT` a change whose refs or entries are not what it expects. */
export function checkExpected({ refs = {}, entries = {} }: NonNullable<Change['expect']>, stored: StoredBytes): void {
  for (const [name, id] of Object.entries(refs)) {
    const bytes = stored(refKey(name))
    const actual = bytes === undefined ? null : (decodeEntry(bytes).object ?? null)
    if (actual === id) continue
    throw soupError(
      'SOUP_CONFLICT',
      `The ref ${shown(name)} is at ${actual ?? 'nothing'}, not at ${id ?? 'nothing'}. Read it again and repeat the change.`,
      { ref: name, expected: id, actual },
    )
  }
  for (const [key, value] of Object.entries(entries)) {
    const bytes = stored(key)
    const actual = bytes === undefined ? null : toHex(entryValue(bytes))
    if (actual === value) continue
    throw soupError(
      'SOUP_CONFLICT',
      `The entry ${shown(key)} is not what the change expects. Read it again and repeat the change.`,
      {
        key,
        expected: value,
        actual,
      },
    )
  }
}

/**
 * What a change makes of the entry table, in the order in which it is to be done: refs, declarations of types, then
 * the others as they stand in the change. Unchanged entries are left out. Throws `SOUP_INVALID`, `SOUP_TYPE_UNKNOWN`,
 * `SOUP_CONTRACT`. Reads only through `stored`, so that every store decides alike.
 */
export function planEntries(change: Pick<Change, 'refs' | 'entries'>, stored: StoredBytes): readonly EntryTransition[] {
  const wanted = wantedEntries(change)
  const contracts = new Map<string, TypeContract>()
  const contract = (type: string): TypeContract => {
    const known = contracts.get(type)
    if (known !== undefined) return known
    const found = requireContract(type, wanted, stored)
    contracts.set(type, found)
    return found
  }
  const transitions: EntryTransition[] = []
  for (const [key, after] of wanted) {
    const transition = changeEntry(key, stored(key), after, contract)
    if (transition !== undefined) transitions.push(transition)
  }
  return transitions
}

/** What a change wants under each key: an entry, or `undefined` for none. */
function wantedEntries({
  refs,
  entries,
}: Pick<Change, 'refs' | 'entries'>): ReadonlyMap<string, StoredEntry | undefined> {
  const wanted = new Map<string, StoredEntry | undefined>()
  const want = (key: string, entry: Entry | undefined) => {
    checkKey(key)
    if (wanted.has(key)) throw soupError('SOUP_INVALID', `The change names the entry ${shown(key)} twice.`, { key })
    wanted.set(key, entry === undefined ? undefined : storedEntry(entry))
  }
  for (const [name, id] of Object.entries(refs ?? {})) want(refKey(name), id === null ? undefined : refEntry(name, id))
  const put = entries?.put ?? []
  for (const entry of put) if (entry.type === 'type') want(entry.key, entry)
  for (const entry of put) if (entry.type !== 'type') want(notRef(entry.key), entry)
  for (const key of entries?.remove ?? []) want(notRef(key), undefined)
  return wanted
}

function refEntry(name: string, id: ContentId): Entry {
  if (!isContentId(id)) throw soupError('SOUP_INVALID', `The ref ${shown(name)} cannot point to what is no content id.`)
  return { key: refKey(name), type: 'ref', object: id, fields: {} }
}

function notRef(key: string): string {
  if (!key.startsWith(refKey(''))) return key
  throw soupError('SOUP_INVALID', `${shown(key)} is a ref: move or remove it with "refs", where it can be guarded.`, {
    key,
  })
}

function requireContract(
  type: string,
  wanted: ReadonlyMap<string, StoredEntry | undefined>,
  stored: StoredBytes,
): TypeContract {
  const key = declarationKey(type)
  const bytes = stored(key)
  const contract = contractOf(type, bytes === undefined ? wanted.get(key)?.entry : decodeEntry(bytes))
  if (contract !== undefined) return contract
  throw soupError(
    'SOUP_TYPE_UNKNOWN',
    `The type ${shown(type)} declares no rollback strategy. Put an entry ${shown(key)} of type "type" with fields.rollback first.`,
    { type },
  )
}
