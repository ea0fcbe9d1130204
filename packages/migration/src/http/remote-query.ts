import type { AbortOptions } from '@vault/core'
import { compareBytes, utf8, VaultError } from '@vault/core'
import type { Entry, Query } from '@vault/soup'
import { compileQuery, decodeEntry } from '@vault/soup'
import type { Ask } from './calls.ts'
import type { HttpErrorCode } from './http-error.ts'
import { answerInvalid } from './wire-error.ts'

/** Entries in an answer. */
const PAGE = 256

/**
 * The entries that a query finds at another place, ascending by key. What comes is held against the query. Throws `SOUP_INVALID`,
 * `HTTP_ANSWER_INVALID`, and `HTTP_REQUEST_INVALID` for another order, which the other place would have to make anew for each answer.
 */
export async function* remoteQuery(ask: Ask, query: Query, options?: AbortOptions): AsyncGenerator<readonly Entry[]> {
  const { place, byKey, descending, limit: most } = compileQuery(query)
  if (!byKey || descending) throw otherOrder()
  const { prefix, where } = query
  const asked = { ...(prefix !== undefined && { prefix }), ...(where && { where }) }
  let after = query.after?.key
  for (let left = most; left > 0; ) {
    const limit = Math.min(PAGE, left)
    const found = await ask(
      'query',
      { ...asked, limit, ...(after !== undefined && { after: { key: after } }) },
      options,
    )
    if (found.length > limit) throw answerInvalid('query', `it has ${found.length} entries`)
    const entries = found.map((bytes) => decodeEntry(bytes))
    for (const entry of entries) {
      const follows = after === undefined || compareBytes(utf8(after), utf8(entry.key)) < 0
      if (!follows || place(entry) === undefined)
        throw answerInvalid('query', `${entry.key} is not what was asked for there`)
      after = entry.key
    }
    if (entries.length > 0) yield entries
    if (entries.length < limit) return
    left -= entries.length
  }
}

function otherOrder(): VaultError<HttpErrorCode> {
  return new VaultError({
    code: 'HTTP_REQUEST_INVALID',
    message: 'A vault at another place is queried in the order of keys. Do it where the vault is.',
  })
}
