import { type AbortOptions, type Envelope, encodeEnvelope, hashBytes, toHex, utf8 } from '@vault/core'
import { type Entry, fieldOf, type SoupReader } from '@vault/soup'
import { type OpenValidation, openValidation, principalText, type Validation } from '@vault/spki-caps'
import { openedIn, VALIDATION, VALIDATION_PREFIX } from './cap-entry.ts'

/**
 * The entry of a validation that was made just now: of each certificate and issuer there is one. What was there before may begin later,
 * by a clock that was ahead, or because this one is behind: then it does not count now, and this one takes its place all the same. The
 * counter stays the highest, as those of its type never go down.
 */
export async function validationEntry(
  envelope: Envelope,
  soup: Pick<SoupReader, 'entry'>,
  options: AbortOptions,
): Promise<Entry> {
  const { record } = openValidation(envelope)
  const key = keyOf(record)
  const before = await soup.entry(key, options)
  const counted = before && fieldOf(before, 'stats.from')
  const from = typeof counted === 'number' ? Math.max(counted, record.from) : record.from
  return { key, type: VALIDATION, fields: { envelope: encodeEnvelope(envelope), stats: { from } } }
}

/** The validation in an entry; `undefined` where there is none, or another one than its key says: by what is not readable nothing holds. */
export function keptValidation({ key, fields }: Entry): OpenValidation | undefined {
  const opened = openedIn(fields.envelope, openValidation)
  return opened !== undefined && key === keyOf(opened.record) ? opened : undefined
}

/** A hash of who made it, because a threshold of many is a long text. */
function keyOf({ certificate, issuer }: Validation): string {
  return `${VALIDATION_PREFIX}${certificate.id}/${toHex(hashBytes('sha2-256', utf8(principalText(issuer))))}`
}
